import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ProcessLock } from '../../src/actors/writer/lock.ts';
import { cli, startCli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { runAgent } from '../support/client.ts';
import { smallDisk } from '../support/disk.ts';
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

const backupOf = (directory: string, text: string, name = 'events_20260110.ndjson'): string => {
  mkdirSync(join(directory, 'raw'), { recursive: true });
  const path = join(directory, 'raw', name);
  writeFileSync(path, text);
  return path;
};

test('a link that leads nowhere and a file that cannot be read are named, and cost no other', async (t) => {
  const directory = temporaryDirectory(t);
  backupOf(directory, lines(aRun()), 'b.ndjson');
  backupOf(directory, 'id,event_id,run_id\n', 'c.ndjson');
  backupOf(directory, lines(aRun()), 'e.ndjson');
  symlinkSync(join(directory, 'nowhere'), join(directory, 'raw', 'a.ndjson'));
  // Its beginning is no memory of any process, so not even root can read it.
  symlinkSync('/proc/self/mem', join(directory, 'raw', 'd.ndjson'));
  const { code, stdout, stderr } = await cliHere(['replay', '--json'], localEnvironment(directory));
  assert.equal(code, 3, stderr);
  const { runs, files, incomplete } = JSON.parse(stdout) as { runs: number; files: number; incomplete: string[] };
  assert.deepEqual([runs, files, incomplete.length], [2, 5, 3]);
  assert.match(stderr, /a\.ndjson cannot be read: ENOENT/);
  assert.match(stderr, /c\.ndjson is CSV/);
  assert.match(stderr, /d\.ndjson cannot be read: /);
});

test('a replay that is killed leaves the place of the database free, and the next one just works', async (t) => {
  const directory = temporaryDirectory(t);
  const db = join(directory, 'db');
  mkdirSync(db);
  const runs = Array.from({ length: 8_000 }, (_, n) => aRun({ event_id: `run-${n}` }));
  backupOf(directory, lines(...runs));
  const watcher = watch(db);
  const child = startCli(['replay'], localEnvironment(directory));
  const exit = once(child, 'close');
  for await (const [, name] of on(watcher, 'change')) if (name === 'telemetry.sqlite.replaying') break;
  watcher.close();
  child.kill('SIGKILL');
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  const left = readdirSync(db);
  assert.ok(left.includes('telemetry.sqlite.replaying') && !left.includes('telemetry.sqlite'), String(left));
  const again = await cliHere(['replay', '--json'], localEnvironment(directory));
  assert.equal(again.code, 0, again.stderr);
  assert.equal((JSON.parse(again.stdout) as { runs: number }).runs, 8_000);
  assert.deepEqual(
    readdirSync(db).filter((name) => !/^telemetry\.sqlite(\.lock)?$/.test(name)),
    [],
  );
});

test('on a full disk nothing is left, and it is said what can be done', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = temporaryDirectory(t);
  backupOf(directory, lines(...Array.from({ length: 2_000 }, () => aRun({ output_summary: 'x'.repeat(5_000) }))));
  const to = join(disk, 'rebuilt.sqlite');
  const { code, stderr } = await cliHere(['replay', '--to', to], localEnvironment(directory));
  assert.equal(code, 1);
  assert.match(stderr, /Of the new database nothing is kept\. Run the same command again\.\n$/);
  assert.deepEqual(
    readdirSync(disk).filter((name) => !name.startsWith('rebuilt.sqlite.lock')),
    [],
  );
});

test('where the service that has the database fails midway, it is said how the rest is brought in', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = temporaryDirectory(t);
  const settings = { ...localEnvironment(directory), TELEMETRY_DB_PATH: join(disk, 'telemetry.sqlite') };
  await startService(t, settings, directory);
  backupOf(directory, lines(...Array.from({ length: 2_000 }, () => aRun({ output_summary: 'x'.repeat(5_000) }))));
  const { code, stderr } = await cliHere(['replay'], settings);
  assert.equal(code, 1);
  assert.match(
    stderr,
    / Bring in the rest with local-telemetry import: what is stored already is not stored twice\.\n$/,
  );
});

test('the database of a stopped service that holds no run is replaced, and no service starts meanwhile', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startService(t, {}, directory);
  await service.close();
  backupOf(directory, lines(aRun({ event_id: 'replayed' })));
  const lock = new ProcessLock(service.path, undefined);
  const refused = await cliHere(['replay'], localEnvironment(directory));
  lock.release();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is in use by the process with pid /);
  const replayed = await cliHere(['replay'], localEnvironment(directory));
  assert.equal(replayed.code, 0, replayed.stderr);
  const again = await startService(t, {}, directory);
  assert.deepEqual(
    ((await again.request('GET', RUNS)).body as Run[]).map(({ event_id }) => event_id),
    ['replayed'],
  );
});
