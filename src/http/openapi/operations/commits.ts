import { NOT_MODIFIED, VERSION_HEADERS } from '../conditional.ts';
import { COMMIT_HASH, EVENT_ID, one, RUN_ID } from '../examples.ts';
import type { Operation } from '../operation.ts';
import { contentOf, json, refTo } from '../schemas.ts';
import { WRITING } from './runs.ts';

const commit = {
  commit_hash: COMMIT_HASH,
  commit_source: 'llm',
  commit_author: 'Ada <ada@example.com>',
  commit_timestamp: '2026-01-10T12:03:00Z',
};

export const COMMIT_OPERATIONS = {
  associateCommit: {
    tag: 'Commits',
    summary: 'Give a run its commit',
    description:
      'Tells which commit came out of a run. The values become its `git_commit_hash`, `git_commit_source`, ' +
      '`git_commit_author` and `git_commit_timestamp`.',
    body: contentOf(refTo('CommitInput'), one('A commit', commit)),
    answers: {
      200: {
        description: 'The commit was noted.',
        content: json(
          'CommitAssociated',
          one('A commit', { status: 'success', event_id: EVENT_ID, run_id: RUN_ID, commit_hash: COMMIT_HASH }),
        ),
      },
    },
    failures: [...WRITING, 404],
  },
  getCommitUrl: {
    tag: 'Commits',
    summary: "Get the address of a run's commit",
    description: 'Only for repositories on github.com, gitlab.com and bitbucket.org.',
    answers: {
      200: {
        description: 'The address, or null where it is not known.',
        content: json(
          'CommitUrl',
          one('On GitHub', { commit_url: `https://github.com/acme/site/commit/${COMMIT_HASH}` }),
        ),
        headers: VERSION_HEADERS,
      },
      304: NOT_MODIFIED,
    },
    failures: [404, 503],
  },
  getRepoUrl: {
    tag: 'Commits',
    summary: "Get the address of a run's repository",
    description: 'The `git_repo` as an https address, without credentials, `.git` and trailing slash.',
    answers: {
      200: {
        description: 'The address, or null where it has none.',
        content: json('RepoUrl', one('On GitHub', { repo_url: 'https://github.com/acme/site' })),
        headers: VERSION_HEADERS,
      },
      304: NOT_MODIFIED,
    },
    failures: [404, 503],
  },
} as const satisfies Record<string, Operation>;
