import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { smallDisk } from '../support/disk.ts';
import { digestsOf, madeWithHotJournal } from '../support/files.ts';
import {
  aRun,
  type Environment,
  localEnvironment,
  openToVerify,
  startService,
  temporaryDirectory,
} from '../support/service.ts';
import { rollups, structure } from '../crash/oracle.ts';
import { closedDatabase, damageIndex } from '../offline/closed.ts';

interface Two {
  path: string;
  backup: string;
  settings: Environment;
}

/** A closed database of 5 runs, and a copy of another one, which is closed too, with 12. */
function twoDatabases(t: TestContext): Two {
  const [directory, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  const path = closedDatabase(directory, 5);
  const backup = join(directory, 'backup.sqlite');
  copyFileSync(closedDatabase(other, 12), backup);
  return { path, backup, settings: localEnvironment(directory) };
}

const runsIn = (t: TestContext, path: string): unknown =>
  openToVerify(t, path).prepare('SELECT count(*) FROM agent_runs').pluck().get();

test('a backup takes the place of the database, which is kept, and the next start counts nothing anew', async (t) => {
  const { path, backup: other, settings } = twoDatabases(t);
  const backup = join(dirname(other), 'made.sqlite');
  assert.equal((await cliHere(['backup', backup, '--db', other], settings)).code, 0);
  const { mode } = statSync(path);
  const { code, stdout } = await cli(['restore', backup], settings);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /telemetry\.sqlite is now the backup .*made\.sqlite: 12 runs, [\d.]+ KiB, checked\nThe old database is .*telemetry\.sqlite\.replaced-\d{8}T\d{6}Z; /,
  );
  const replaced = join(dirname(path), readdirSync(dirname(path)).find((name) => name.includes('.replaced-')) ?? '');
  assert.deepEqual([runsIn(t, path), runsIn(t, replaced), runsIn(t, backup)], [12, 5, 12]);
  assert.deepEqual([statSync(path).mode, statSync(path).nlink, statSync(replaced).nlink], [mode, 1, 1]);
  const trusted = openToVerify(t, path)
    .prepare('SELECT change_counter, trusted FROM rollup_state')
    .raw()
    .get() as unknown[];
  assert.deepEqual(trusted, [readFileSync(path).readUInt32BE(24), 1], 'the counts are trusted at the first look');
  const service = await startService(t, settings, settings.TELEMETRY_BASE_DIR);
  const { body } = await service.request('GET', '/metrics');
  assert.equal((body as { total_runs: number }).total_runs, 12);
  await service.request('POST', '/api/v1/runs', aRun());
  assert.deepEqual(rollups(openToVerify(t, path)), []);
});

test('--json names what was put where, also where there was no database', async (t) => {
  const { backup } = twoDatabases(t);
  const directory = temporaryDirectory(t);
  const path = join(directory, 'new', 'folder', 'telemetry.sqlite');
  const { code, stdout } = await cliHere(['restore', backup, '--db', path, '--json'], localEnvironment(directory));
  assert.equal(code, 0);
  const bytes = statSync(path).size;
  assert.deepEqual(JSON.parse(stdout), { path, runs: 12, bytes, schema_version: 9, replaced: null });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dirname(path)).sort(), ['telemetry.sqlite', 'telemetry.sqlite.lock']);
});

test('a running service keeps its database, and is named', async (t) => {
  const { backup } = twoDatabases(t);
  const service = await startService(t);
  const { code, stderr } = await cli(['restore', backup], localEnvironment(service.directory));
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`in use by the process with pid ${process.pid} on host`));
  assert.equal((await service.request('POST', '/api/v1/runs', aRun())).status, 201);
});

test('what is no good backup is refused with 1, nothing with 2, and the database is as it was', async (t) => {
  const { path, backup, settings } = twoDatabases(t);
  damageIndex(backup, 'idx_runs_status');
  const before = digestsOf(path);
  const { code, stdout, stderr } = await cliHere(['restore', backup], settings);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /backup\.sqlite is damaged\. Give another backup\. The database is as it was\.\n- .*idx_runs_status/,
  );
  assert.deepEqual(digestsOf(path), before);
  assert.equal((await cliHere(['restore'], settings)).code, 2);
});

test('a database that a service has open is not taken for a backup', async (t) => {
  const { path, settings } = twoDatabases(t);
  const service = await startService(t);
  const { code, stderr } = await cli(['restore', service.path], settings);
  assert.equal(code, 1);
  assert.match(stderr, /is in use by a service\. Copy it first: local-telemetry backup --db /);
  assert.equal(runsIn(t, path), 5);
});

test('a raw copy with its hot journal is recovered on the copy, and stays as it is', async (t) => {
  const { path, settings } = twoDatabases(t);
  const raw = join(dirname(path), 'raw.sqlite');
  const runs = madeWithHotJournal(raw);
  const before = digestsOf(raw);
  const { code } = await cliHere(['restore', raw], settings);
  assert.equal(code, 0);
  assert.deepEqual(digestsOf(raw), before);
  const db = openToVerify(t, path);
  assert.deepEqual([...structure(db), db.prepare('SELECT count(*) FROM agent_runs').pluck().get()], [runs]);
});

test('an old database with a hot journal goes aside whole, and can be restored from there', async (t) => {
  const { backup } = twoDatabases(t);
  const directory = temporaryDirectory(t);
  const path = join(directory, 'telemetry.sqlite');
  const runs = madeWithHotJournal(path);
  const settings = { ...localEnvironment(directory), TELEMETRY_DB_PATH: path };
  const first = await cliHere(['restore', backup, '--json'], settings);
  const { replaced } = JSON.parse(first.stdout) as { replaced: string };
  assert.deepEqual([existsSync(`${path}-journal`), existsSync(`${replaced}-journal`)], [false, true]);
  assert.equal(runsIn(t, path), 12);
  const second = await cliHere(['restore', replaced], settings);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(runsIn(t, path), runs);
});

test('a backup of an earlier version is restored, and it is said that the next start migrates it', async (t) => {
  const { path, settings } = twoDatabases(t);
  const old = join(dirname(path), 'old.sqlite');
  database(
    old,
    `CREATE TABLE agent_runs (run_id TEXT); INSERT INTO agent_runs VALUES ('r');
    CREATE TABLE schema_migrations (version INTEGER); INSERT INTO schema_migrations VALUES (6);`,
  );
  const { code, stdout } = await cliHere(['restore', old], settings);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /: 1 run, .*\n.*\nIt has schema version 6; the next start of the service migrates it to version 9/,
  );
});

test('a full disk is said, and the database is as it was', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const directory = temporaryDirectory(t);
  const large = closedDatabase(directory, 300, { output_summary: 'x'.repeat(20_000) });
  const path = closedDatabase(disk, 1);
  const { code, stderr } = await cliHere(['restore', large], localEnvironment(disk));
  assert.equal(code, 1);
  assert.match(stderr, /The disk of .* is full; the database is as it was\. Free space there/);
  assert.equal(runsIn(t, path), 1);
  assert.ok(!existsSync(`${path}.restoring`));
});

function database(file: string, sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}
