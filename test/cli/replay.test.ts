import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { runAgent } from '../support/client.ts';
import { type Run, RUNS } from '../support/http.ts';
import { aRun, localEnvironment, startService, temporaryDirectory } from '../support/service.ts';

/** Agents of their own processes: runs that succeed, fail, are nested, get a commit, say much, never end. */
const AGENT = `
  const client = new TelemetryClient({ git: false });
  const name = process.argv[1];
  const first = client.startRun(name, 'translate', { product: 'slides', metrics_json: { big: 1, deep: [{ a: null }] } });
  client.logEvent(first, 'checkpoint', { step: 1 });
  await client.trackRun(name, 'outer', async (run) => {
    run.setMetrics({ items_discovered: 7, output_summary: 'größer \\u0000 日本語' });
    await client.trackRun(name, 'inner', async () => { throw new Error('broke'); }).catch(() => undefined);
  });
  client.endRun(first, 'partial', { items_succeeded: 3, items_failed: 1, error_summary: 'one\\nof them' });
  await client.associateCommit(first, 'abcdef1234567', 'llm', { author: 'A <a@example.org>' });
  client.startRun(name, 'never-ends');
  await client.flush();
  await client.close();
`;

test('a database that is lost is rebuilt from the backups alone: every run is the same, field by field', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startService(t, {}, directory);
  const environment = { ...localEnvironment(directory), TELEMETRY_API_URL: service.url, TELEMETRY_GIT: 'false' };
  const names = ['one', 'two'];
  const agents = await Promise.all(names.map((name) => runAgent(AGENT, environment, [name])));
  assert.deepEqual(
    agents.map(({ code, stderr }) => [code, stderr]),
    [
      [0, ''],
      [0, ''],
    ],
  );
  const runsOf = async (request: typeof service.request): Promise<Run[]> =>
    ((await request('GET', `${RUNS}?limit=1000`)).body as Run[])
      .map((run): Run => ({ ...run, id: undefined }))
      .sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
  const runs = await runsOf(service.request);
  assert.deepEqual(runs.length, 8);
  assert.equal(runs.filter(({ git_commit_hash }) => git_commit_hash === 'abcdef1234567').length, 2);
  await service.close();
  rmSync(join(directory, 'db'), { recursive: true });
  const replayed = await cli(['replay'], localEnvironment(directory));
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.match(replayed.stdout, /telemetry\.sqlite: 8 runs from \d+ lines of 1 file, 0 lines rejected, in /);
  assert.match(replayed.stderr, /holds events too/);
  const again = await startService(t, {}, directory);
  assert.deepEqual(await runsOf(again.request), runs);
});

const lines = (...runs: object[]): string => runs.map((run) => `${JSON.stringify(run)}\n`).join('');

test('several folders, compressed files and all days of one run go into a new file beside the living one', async (t) => {
  const directory = temporaryDirectory(t);
  const [a, b] = ['a', 'b'].map((name) => join(directory, name)) as [string, string];
  for (const folder of [a, b]) mkdirSync(folder);
  const run = aRun({ updated_at: '2026-01-10T12:00:00Z' });
  writeFileSync(join(a, 'events_20260110.ndjson'), lines(run, aRun()));
  writeFileSync(
    join(b, 'events_20260111.ndjson.gz'),
    gzipSync(lines({ ...run, status: 'success', updated_at: '2026-01-11T00:00:00Z' })),
  );
  writeFileSync(join(b, 'notes.txt'), 'not a backup');
  const to = join(directory, 'new', 'rebuilt.sqlite');
  const { code, stdout } = await cliHere(['replay', '--json', '--to', to, a, b], localEnvironment(directory));
  const { database, runs, files, merged, rejected } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([code, database, runs, files, merged, rejected], [0, to, 2, 2, 1, 0]);
  const shown = await cliHere(['runs', run.event_id, '--db', to], localEnvironment(directory));
  assert.match(shown.stdout, /^status +success$/m);
  assert.equal(existsSync(join(directory, 'db')), false);
});

test('a database that holds a run is left alone, whether a service has it or not', async (t) => {
  const service = await startService(t);
  const settings = localEnvironment(service.directory);
  const raw = join(service.directory, 'raw');
  mkdirSync(raw);
  writeFileSync(join(raw, 'events_20260110.ndjson'), lines(aRun()));
  // It holds none yet: a service that has just been started anew.
  assert.equal((await cliHere(['replay'], settings)).code, 0);
  const refusal =
    /holds runs already\. Give a new file by --to, or bring the backups into this one with local-telemetry import/;
  const live = await cliHere(['replay'], settings);
  assert.equal(live.code, 1);
  assert.match(live.stderr, refusal);
  await service.close();
  const closed = await cliHere(['replay'], settings);
  assert.equal(closed.code, 1);
  assert.match(closed.stderr, refusal);
});

test('where there is no backup it is said, and a torn one is taken as far as it goes', async (t) => {
  const directory = temporaryDirectory(t);
  const missing = await cliHere(['replay'], localEnvironment(directory));
  assert.match(missing.stderr, /The folder .*raw cannot be read: ENOENT.*\. Name the folder of the NDJSON backups/);
  assert.equal(missing.code, 1);
  const raw = join(directory, 'raw');
  mkdirSync(raw);
  const none = await cliHere(['replay'], localEnvironment(directory));
  assert.match(
    none.stderr,
    /There is no NDJSON backup \(\*\.ndjson, \*\.ndjson\.gz\) in .*raw\. Name the folder where clients keep theirs/,
  );
  assert.deepEqual([none.code, existsSync(join(directory, 'db'))], [1, false]);
  writeFileSync(join(raw, 'torn'), `${lines(aRun())}{"record_type":"run","ev`);
  renameSync(join(raw, 'torn'), join(raw, 'events_20260110.ndjson'));
  const torn = await cli(['replay'], localEnvironment(directory));
  assert.equal(torn.code, 3);
  assert.match(torn.stdout, /1 run from 2 lines of 1 file, 1 line rejected/);
});
