import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { gitContext } from '../../src/client/git.ts';
import { linesIn, runAgent } from '../support/client.ts';
import { fakeService } from '../support/fake-service.ts';
import { temporaryDirectory } from '../support/service.ts';

function git(folder: string, ...words: string[]): void {
  const who = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org'];
  execFileSync('git', [...who, ...words], { cwd: folder, stdio: 'ignore' });
}

/** A repository with a commit, on the branch `feature/topic`. */
function repository(t: TestContext, remote?: string): string {
  const folder = temporaryDirectory(t);
  git(folder, 'init', '-b', 'feature/topic');
  git(folder, 'commit', '--allow-empty', '-m', 'first');
  if (remote !== undefined) git(folder, 'remote', 'add', 'origin', remote);
  return folder;
}

test('repository, branch and tag are found, by the remote or else by the folder', async (t) => {
  assert.deepEqual(await gitContext(repository(t, 'git@github.com:owner/site.git')), {
    git_repo: 'git@github.com:owner/site.git',
    git_branch: 'feature/topic',
    git_run_tag: 'site/feature/topic',
  });
  const folder = repository(t);
  const name = folder.split('/').at(-1);
  assert.deepEqual(await gitContext(folder), {
    git_repo: name,
    git_branch: 'feature/topic',
    git_run_tag: `${name}/feature/topic`,
  });
});

test('without a branch the tag is the repository; before the first commit, outside of one and in no folder nothing breaks', async (t) => {
  const detached = repository(t, 'https://github.com/owner/site/');
  git(detached, 'checkout', '--detach');
  assert.deepEqual(await gitContext(detached), { git_repo: 'https://github.com/owner/site/', git_run_tag: 'site' });
  const fresh = temporaryDirectory(t);
  git(fresh, 'init', '-b', 'main');
  const { git_repo, ...rest } = await gitContext(fresh);
  assert.equal(git_repo, fresh.split('/').at(-1));
  assert.equal(rest.git_run_tag?.startsWith(String(git_repo)), true);
  assert.deepEqual(await gitContext(temporaryDirectory(t)), {});
  assert.deepEqual(await gitContext('/no/such/folder'), {});
});

test('credentials in the remote are never recorded: not in spool or backup, not sent', async (t) => {
  const service = await fakeService(t);
  const folder = repository(t, 'https://user:s3cret@github.com/owner/site.git');
  const directory = temporaryDirectory(t);
  const { code } = await runAgent(
    `process.chdir(${JSON.stringify(folder)});
    const client = new TelemetryClient();
    const first = client.startRun('agent', 'first');
    await client.flush();
    client.endRun(first);
    client.startRun('agent', 'second');
    client.startRun('agent', 'own', { git_repo: 'https://user:s3cret@example.org/x.git' });
    await client.flush();
    client.startRun('agent', 'third', { agent_owner: 'team' });`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service.url },
  );
  assert.equal(code, 0);
  const stored = [...service.store.runs.values()];
  assert.deepEqual(
    stored.map(({ job_type, git_repo, git_branch }) => [job_type, git_repo, git_branch]),
    [
      ['first', 'https://github.com/owner/site.git', 'feature/topic'],
      ['second', 'https://github.com/owner/site.git', 'feature/topic'],
      ['own', 'https://example.org/x.git', undefined],
      ['third', 'https://github.com/owner/site.git', 'feature/topic'],
    ],
  );
  const written = JSON.stringify(linesIn(`${directory}/raw`, /\.ndjson$/));
  for (const text of [written, ...service.received.map((received) => received.text)]) {
    assert.equal(text.includes('s3cret'), false, text);
  }
});

test('in a working directory that was removed runs are recorded all the same', async (t) => {
  const directory = temporaryDirectory(t);
  await runAgent(
    `import { mkdirSync, rmdirSync } from 'node:fs';
    mkdirSync('${directory}/gone');
    process.chdir('${directory}/gone');
    rmdirSync('${directory}/gone');
    const client = new TelemetryClient();
    client.endRun(client.startRun('agent', 'job'), 'partial');`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_TEST_MODE: 'mock' },
  );
  assert.equal(linesIn(`${directory}/buffer`).at(-1)?.status, 'partial');
});
