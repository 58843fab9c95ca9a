import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, pathOf, serviceOfFile, shown } from '../support/http.ts';

const service = serviceOfFile();
const HASH = 'abcdef1';

/** What the two routes and the run itself say; they must agree. */
async function addresses(git_repo: string | null, git_commit_hash: string | null): Promise<unknown[]> {
  const { event_id } = await create(service(), { git_repo, git_commit_hash });
  const repo = await service().request('GET', pathOf(event_id, '/repo-url'));
  const commit = await service().request('GET', pathOf(event_id, '/commit-url'));
  assert.deepEqual([repo.status, commit.status], [200, 200]);
  const { repo_url, commit_url } = await shown(service(), event_id);
  assert.deepEqual([repo.body, commit.body], [{ repo_url }, { commit_url }]);
  return [repo_url, commit_url];
}

const GITHUB = ['https://github.com/o/r', `https://github.com/o/r/commit/${HASH}`];
const GITLAB = ['https://gitlab.com/g/s/r', `https://gitlab.com/g/s/r/-/commit/${HASH}`];
const BITBUCKET = ['https://bitbucket.org/o/r', `https://bitbucket.org/o/r/commits/${HASH}`];
const NOTHING = [null, null];

const REMOTES: [string, (string | null)[]][] = [
  ['https://github.com/o/r', GITHUB],
  ['https://github.com/o/r.git', GITHUB],
  ['https://github.com/o/r/', GITHUB],
  ['https://github.com/o/r.git/', GITHUB],
  ['https://GitHub.com/o/r', GITHUB],
  ['https://github.com:443/o/r', GITHUB],
  ['http://github.com/o/r.git', GITHUB],
  ['  https://github.com/o/r\n', GITHUB],
  ['git@github.com:o/r.git', GITHUB],
  ['git@github.com:/o/r.git', GITHUB],
  ['github.com:o/r', GITHUB],
  ['org-123@github.com:o/r.git', GITHUB],
  ['ssh://git@github.com/o/r.git', GITHUB],
  ['ssh://git@github.com:22/o/r.git', GITHUB],
  ['git+ssh://git@github.com/o/r.git', GITHUB],
  ['git+https://github.com/o/r.git', GITHUB],
  ['git://github.com/o/r.git', GITHUB],
  ['https://token@github.com/o/r.git', GITHUB],
  ['https://user:pa%40ss@github.com/o/r', GITHUB],
  ['https://github.com/o/r?token=x#y', GITHUB],
  ['https://gitlab.com/g/s/r.git', GITLAB],
  ['git@gitlab.com:g/s/r.git', GITLAB],
  ['https://bitbucket.org/o/r.git', BITBUCKET],
  ['ssh://git@bitbucket.org/o/r.git', BITBUCKET],
  ['https://git.example.com/o/r.git', ['https://git.example.com/o/r', null]],
  ['https://git.example.com:8443/o/r.git', ['https://git.example.com:8443/o/r', null]],
  ['git@git.example.com:o/r.git', ['https://git.example.com/o/r', null]],
  ['https://github.com.evil.example/o/r', ['https://github.com.evil.example/o/r', null]],
  ['https://evilgithub.com/o/r', ['https://evilgithub.com/o/r', null]],
  ['https://evil.example/github.com/r', ['https://evil.example/github.com/r', null]],
  ['https://github.com@evil.example/o/r', ['https://evil.example/o/r', null]],
  ['https://github.com:8443/o/r', ['https://github.com:8443/o/r', null]],
  ['http://intranet/o/r', NOTHING],
  ['https://github.com', NOTHING],
  ['https://github.com/', NOTHING],
  ['', NOTHING],
  ['not a remote', NOTHING],
  ['/srv/git/r.git', NOTHING],
  ['../r.git', NOTHING],
  ['file:///srv/git/r.git', NOTHING],
  ['C:\\repos\\r', NOTHING],
  ['C:/repos/r', NOTHING],
  ['javascript:alert(1)', NOTHING],
  ['data:text/html,x', NOTHING],
];

for (const [remote, expected] of REMOTES) {
  test(`the remote ${JSON.stringify(remote)} has the repository ${expected[0]} and the commit ${expected[1]}`, async () => {
    assert.deepEqual(await addresses(remote, HASH), expected);
  });
}

test('a run without a remote or without a commit has no address of it', async () => {
  assert.deepEqual(await addresses(null, HASH), NOTHING);
  assert.deepEqual(await addresses('https://github.com/o/r', null), [GITHUB[0], null]);
});

test('a hash that could lead elsewhere has no address', async () => {
  for (const hash of ['../../evil', 'a..b', 'a/b', 'a?b', 'a#b', 'a b', '', 'a'.repeat(65), '<script>', 'ä']) {
    assert.deepEqual(await addresses('https://github.com/o/r', hash), [GITHUB[0], null], hash);
  }
});

const SECRET = 'hunter2';

for (const remote of [
  `https://user:${SECRET}@github.com/o/r.git`,
  `https://${SECRET}@github.com/o/r.git`,
  `https://user:p@${SECRET}@github.com/o/r`,
  `HTTPS://user:${SECRET}@github.com/o/r`,
  `  https://user:${SECRET}@github.com/o/r`,
  `git+https://user:${SECRET}@github.com/o/r`,
  `http://user:${SECRET}@intranet/o/r`,
  `ssh://user:${SECRET}@github.com/o/r.git`,
  `git+ssh://user:${SECRET}@github.com/o/r.git`,
  `git://user:${SECRET}@github.com/o/r.git`,
  `ftp://user:${SECRET}@example.com/o/r.git`,
  `https://user:pass/${SECRET}@github.com/o/r`,
  `https://user:pass#${SECRET}@github.com/o/r`,
  `https://github.com/o/r.git?access_token=${SECRET}`,
]) {
  test(`the secret in ${remote} never leaves the service`, async () => {
    const { event_id } = await create(service(), { git_repo: remote, git_commit_hash: HASH, agent_name: 'secretive' });
    const paths = [pathOf(event_id), pathOf(event_id, '/repo-url'), pathOf(event_id, '/commit-url')];
    paths.push('/api/v1/runs?agent_name=secretive&limit=1');
    for (const path of paths) {
      const text = await (await fetch(service().url + path)).text();
      assert.equal(text.includes(SECRET), false, `${path}: ${text}`);
    }
    assert.equal(JSON.stringify(service().logs).includes(SECRET), false);
  });
}

test('the user of a remote that is reached by ssh is no secret', async () => {
  for (const git_repo of ['git@github.com:o/r.git', 'ssh://git@github.com/o/r.git']) {
    const { event_id } = await create(service(), { git_repo });
    assert.equal((await shown(service(), event_id)).git_repo, git_repo);
  }
});
