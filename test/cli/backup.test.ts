import assert from 'node:assert/strict';
import { copyFileSync, existsSync, linkSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { cli, type Settings } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { smallDisk } from '../support/disk.ts';
import { madeWithHotJournal } from '../support/files.ts';
import { aRun, localEnvironment, openToVerify, startService, temporaryDirectory } from '../support/service.ts';
import { behindOurBack } from '../support/session.ts';
import { rollups, structure } from '../crash/oracle.ts';
import { closedDatabase, damageIndex } from '../offline/closed.ts';

interface Made {
  path: string;
  runs: number;
  bytes: number;
  seconds: number;
  schema_version: number;
  removed: string[];
}

// A process of its own, where a service lives in this one.
async function made(words: readonly string[], settings: Settings, run = cliHere): Promise<Made> {
  const { code, stdout, stderr } = await run(['backup', ...words, '--json'], settings);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Made;
}

function isWhole(t: TestContext, path: string, runs: number): void {
  const db = openToVerify(t, path);
  assert.deepEqual([...structure(db), ...rollups(db)], []);
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), runs);
  assert.equal(db.pragma('journal_mode', { simple: true }), 'delete');
}

for (const journal of ['DELETE', 'WAL']) {
  test(`a running service is backed up whole, as one private file (${journal})`, async (t) => {
    const service = await startService(t, { TELEMETRY_DB_JOURNAL_MODE: journal });
    const runs = Array.from({ length: 300 }, () => aRun());
    await service.request('POST', '/api/v1/runs/batch', runs);
    await service.request('PATCH', `/api/v1/runs/${runs[0]?.event_id}`, { status: 'success' });
    const backup = await made([], localEnvironment(service.directory), cli);
    const folder = join(dirname(service.path), 'backups');
    assert.match(backup.path, /backups\/telemetry-\d{8}T\d{6}Z\.sqlite$/);
    assert.deepEqual(readdirSync(folder), [backup.path.slice(folder.length + 1)], 'nothing else is left');
    const { size, mode } = statSync(backup.path);
    assert.deepEqual([backup.runs, backup.bytes, backup.schema_version, mode & 0o777], [300, size, 9, 0o600]);
    isWhole(t, backup.path, 300);
  });
}

test('a database that no service has open is backed up, and is not changed', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 20);
  const before = statSync(path).mtimeMs;
  const { code, stdout } = await cli(['backup', join(directory, 'copy.sqlite')], localEnvironment(directory));
  assert.equal(code, 0);
  assert.match(stdout, /copy\.sqlite\n20 runs, [\d.]+ KiB, checked, in [\d.]+ s\n$/);
  isWhole(t, join(directory, 'copy.sqlite'), 20);
  assert.equal(statSync(path).mtimeMs, before);
});

test('what a crash left is rolled back before the copy', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'telemetry.sqlite');
  const runs = madeWithHotJournal(path);
  const backup = await made(['--db', path], localEnvironment(directory));
  assert.equal(backup.runs, runs);
  const db = openToVerify(t, backup.path);
  assert.deepEqual(structure(db), []);
});

test('a database of an earlier version is backed up as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'old.sqlite');
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec(`CREATE TABLE agent_runs (run_id TEXT PRIMARY KEY, status TEXT); INSERT INTO agent_runs VALUES ('r', 'failed');
    CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY); INSERT INTO schema_migrations VALUES (3);`);
  db.close();
  const backup = await made(['--db', path], localEnvironment(directory));
  assert.deepEqual([backup.runs, backup.schema_version], [1, 3]);
  const copy = openToVerify(t, backup.path);
  assert.deepEqual(copy.prepare('SELECT * FROM agent_runs').all(), [{ run_id: 'r', status: 'failed' }]);
});

test('a file that is there already is refused and left as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const { mtimeMs } = statSync(path);
  const { code, stdout, stderr } = await cliHere(['backup', path], localEnvironment(directory));
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /is there already. A backup replaces nothing/);
  assert.equal(statSync(path).mtimeMs, mtimeMs);
});

test('a damaged database gives no backup: the copy is kept as damaged, with the first problems', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 400);
  damageIndex(path, 'idx_runs_start');
  const file = join(directory, 'copy.sqlite');
  const { code, stderr } = await cliHere(['backup', file], localEnvironment(directory));
  assert.equal(code, 1);
  assert.match(stderr, /is damaged.*copy\.sqlite\.damaged.*local-telemetry verify/);
  assert.match(stderr, /\n- .*idx_runs_start/);
  assert.deepEqual(
    [existsSync(file), existsSync(`${file}.damaged`), existsSync(`${file}.partial`)],
    [false, true, false],
  );
});

test('of nightly backups of a damaged database only the last is kept as damaged', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 400);
  damageIndex(path, 'idx_runs_start');
  for (let night = 0; night < 2; night++) {
    const { stderr } = await cliHere(['backup'], localEnvironment(directory));
    assert.match(stderr, /is kept as .*telemetry\.damaged\. Run local-telemetry verify/);
  }
  assert.deepEqual(readdirSync(join(dirname(path), 'backups')), ['telemetry.damaged']);
});

test('rows of runs that another program deleted are no damage: the backup is made, and says what removes them', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 5);
  behindOurBack(path, (db) => {
    db.pragma('foreign_keys = OFF');
    db.exec("INSERT INTO run_clocks VALUES (99, '{}')");
  });
  const file = join(directory, 'copy.sqlite');
  const { code, stderr } = await cliHere(['backup', file], localEnvironment(directory));
  assert.deepEqual([code, existsSync(file)], [0, true]);
  assert.match(stderr, /1 row in it belong to runs.*optimize --recount removes them/);
  assert.equal((await cliHere(['optimize', '--recount'], localEnvironment(directory))).code, 0);
  const again = await cliHere(['backup', join(directory, 'again.sqlite')], localEnvironment(directory));
  assert.deepEqual([again.code, again.stderr], [0, '']);
});

test('without a database, with one that is none, or to a place that takes nothing, it says so', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(directory);
  const missing = await cliHere(['backup'], settings);
  assert.deepEqual([missing.code, missing.stdout], [1, '']);
  assert.match(missing.stderr, /There is no database .*telemetry\.sqlite to copy\. Set TELEMETRY_DB_PATH or give --db/);
  const text = join(directory, 'text.sqlite');
  writeFileSync(text, 'a text, not a database '.repeat(100));
  const wrong = await cliHere(['backup', '--db', text], settings);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /text\.sqlite is not a SQLite database/);
  const path = closedDatabase(directory, 1);
  const nowhere = await cliHere(['backup', '--db', path, join(text, 'copy.sqlite')], settings);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /There is no folder .*text\.sqlite for the backup\. Make it, or mount the disk/);
  copyFileSync(path, join(directory, 'other.sqlite'));
  for (const keep of ['0', 'all']) {
    const { code, stderr } = await cliHere(['backup', '--keep', keep], settings);
    assert.equal(code, 2);
    assert.match(stderr, /--keep must be a whole number/);
  }
});

test('the first service on a backup trusts its counts, and a drift is not carried on', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 10);
  const state = (file: string): unknown =>
    openToVerify(t, file).prepare('SELECT trusted FROM rollup_state').pluck().get();
  const settings = localEnvironment(directory);
  const right = await made([join(directory, 'right.sqlite')], settings);
  assert.equal(state(right.path), 1);
  const db = new Database(path);
  db.exec('UPDATE rollup_hours SET runs = runs + 1');
  db.close();
  const drifted = await made([join(directory, 'drifted.sqlite')], settings);
  assert.equal(state(drifted.path), 0);
});

test('a database with two names, as a killed restore leaves it, is not backed up', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  linkSync(path, `${path}.replaced-20260110T120000Z`);
  for (const words of [['backup'], ['verify']]) {
    const { code, stderr } = await cliHere(words, localEnvironment(directory));
    assert.equal(code, 1);
    assert.match(stderr, /has 2 names \(hard links\)\. If a restore was interrupted, run it again/);
  }
});

test('a full disk is said, with and without a service, and nothing of the copy stays', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 300, { output_summary: 'x'.repeat(20_000) });
  for (const running of [false, true]) {
    const service = running ? await startService(t, {}, directory) : undefined;
    const { code, stderr } = await cli(['backup', join(disk, 'copy.sqlite')], localEnvironment(directory));
    assert.equal(code, 1);
    assert.match(stderr, /The disk of .*copy\.sqlite is full; the unfinished backup was removed\. Free space there/);
    assert.deepEqual(readdirSync(disk), []);
    if (service) assert.equal((await service.request('POST', '/api/v1/runs', aRun())).status, 201);
  }
});
