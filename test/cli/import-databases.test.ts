import assert from 'node:assert/strict';
import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { RunSource, type SourceRun } from '../../src/offline/source.ts';
import { COLUMNS, rowOf } from '../../src/run.ts';
import { acceptsRun } from '../../src/run/check.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { aRecord, fileDatabase, folder, insertRuns } from '../support/database.ts';
import { digestsOf } from '../support/files.ts';
import { BATCH, foreignConnection, RUNS, serviceOfFile } from '../support/http.ts';
import { makeOlder, makeOlderInWal } from '../support/older.ts';
import { OLDER_SCHEMAS, type OlderSchemaName } from '../support/older-schemas.ts';
import { migrateWholly } from '../support/older-verdict.ts';
import { aRun, localEnvironment, openToVerify, startService } from '../support/service.ts';

const NOW = '2026-01-10T12:00:00.000000+00:00';
const service = serviceOfFile();

async function runsIn(path: string): Promise<SourceRun[]> {
  using source = await RunSource.open(path);
  const runs: SourceRun[] = [];
  for await (const window of source.windows()) runs.push(...window);
  return runs;
}

/** As the record holds it: JSON that is no object is kept as text within one. */
function inRecord(name: string, value: unknown): unknown {
  if (!name.endsWith('_json') || typeof value !== 'string' || value.startsWith('{')) return value;
  return JSON.stringify({ unparsed: value });
}

for (const name of Object.keys(OLDER_SCHEMAS) as OlderSchemaName[]) {
  test(`every run of an older database is read, field by field, and no byte of it changed: ${name}`, async (t) => {
    const { path, runs } = makeOlder(join(folder(t), 'old.sqlite'), name, 120);
    const before = digestsOf(path);
    const found = await runsIn(path);
    assert.deepEqual(digestsOf(path), before);
    assert.equal(found.length, runs.length);
    for (const [index, { id, record, repairs }] of found.entries()) {
      const run = runs[index];
      assert.ok(acceptsRun(record));
      assert.deepEqual([id, repairs], [run?.id, run?.repairs]);
      const { values } = rowOf(record, NOW);
      const row = Object.fromEntries(COLUMNS.map((column, place) => [column, values[place]]));
      const wanted = COLUMNS.map((column) => [column, inRecord(column, run?.expected[column] ?? null)]);
      assert.deepEqual(row, Object.fromEntries(wanted));
      const unsaid = run?.defaulted.filter((field) => !['created_at', 'updated_at'].includes(field)) ?? [];
      assert.ok(
        unsaid.every((field) => !(field in record)),
        'what nobody gave is not given now',
      );
    }
  });
}

test('runs that share an id get those that a migration gives them', async (t) => {
  const directory = folder(t);
  const path = join(directory, 'old.sqlite');
  makeOlder(path, 'v6 with a nullable event_id', 40);
  const db = new Database(path);
  db.pragma('foreign_keys = OFF');
  db.exec(`UPDATE agent_runs SET event_id = NULL, run_id = 'shared' WHERE id % 3 = 0;
    UPDATE agent_runs SET event_id = '' WHERE id % 7 = 0; UPDATE agent_runs SET event_id = 'twice' WHERE id % 5 = 0`);
  db.close();
  const migrated = join(directory, 'migrated.sqlite');
  copyFileSync(path, migrated);
  migrateWholly(migrated);
  const ids = openToVerify(t, migrated).prepare('SELECT id, event_id FROM agent_runs ORDER BY id').raw().all();
  const found = await runsIn(path);
  assert.deepEqual(
    found.map(({ id, record }) => [id, record.event_id]),
    ids,
  );
  assert.equal(new Set(found.map(({ record }) => record.event_id)).size, 40);
});

test('runs that are only in the WAL of an older database are read too', async (t) => {
  const { path, runs } = makeOlderInWal(join(folder(t), 'old.sqlite'));
  const before = digestsOf(path);
  assert.deepEqual(
    (await runsIn(path)).map(({ id }) => id),
    runs.map(({ id }) => id),
  );
  assert.deepEqual(digestsOf(path), before);
});

test('a writer that has the file for itself is waited for', async (t) => {
  const { db, path } = fileDatabase(t);
  insertRuns(db, [aRecord({ event_id: 'waiting' })]);
  db.exec('BEGIN EXCLUSIVE');
  const reading = runsIn(path);
  // It has met the lock by now, for up to there nothing in it waits.
  db.exec('COMMIT');
  assert.deepEqual(
    (await reading).map(({ record }) => record.event_id),
    ['waiting'],
  );
});

test('more runs than a window holds, and larger ones, are all read once', async (t) => {
  const { db, path } = fileDatabase(t);
  const records = Array.from({ length: 1_200 }, (_, n) =>
    aRecord({ output_summary: 'x'.repeat(n % 100 === 0 ? 1_000_000 : 10) }),
  );
  insertRuns(db, records);
  db.exec('DELETE FROM agent_runs WHERE id % 4 = 0');
  const found = await runsIn(path);
  const wanted = records.filter((_, n) => (n + 1) % 4 !== 0).map(({ event_id }) => event_id);
  assert.deepEqual(
    found.map(({ record }) => record.event_id),
    wanted,
  );
});

/** The rows of a database without their numbers, by event_id. */
function rowsOf(t: TestContext, path: string): unknown[] {
  const rows = openToVerify(t, path).prepare('SELECT * FROM agent_runs ORDER BY event_id').all();
  return rows.map((row) => ({ ...(row as object), id: undefined }));
}

test('the database of a running service is imported into another, row by row the same, and once more nothing changes', async (t) => {
  const from = await startService(t);
  const to = await startService(t);
  const runs = Array.from({ length: 700 }, (_, n) =>
    aRun({
      event_id: `run-${n}`,
      created_at: '2026-01-10T12:00:00Z',
      updated_at: '2026-01-10T12:00:00Z',
      ...(n % 2 && { items_failed: n, metrics_json: { n } }),
    }),
  );
  await from.request('POST', BATCH, runs);
  await from.request('PATCH', `${RUNS}/run-1`, { status: 'success', items_succeeded: 2 });
  foreignConnection(t, from.path).exec("UPDATE agent_runs SET metrics_json = 'no json' WHERE event_id = 'run-3'");
  const first = await cliHere(['import', from.path, '--json'], localEnvironment(to.directory));
  assert.equal(first.code, 0, first.stderr);
  assert.equal((JSON.parse(first.stdout) as { inserted: number }).inserted, 700);
  const rows = rowsOf(t, from.path).map((row) =>
    (row as { event_id: string }).event_id === 'run-3'
      ? { ...(row as object), metrics_json: '{"unparsed":"no json"}' }
      : row,
  );
  assert.deepEqual(rowsOf(t, to.path), rows);
  const again = await cliHere(['import', from.path, '--json'], localEnvironment(to.directory));
  const { inserted, merged, duplicates } = JSON.parse(again.stdout) as Record<string, number>;
  assert.deepEqual([inserted, merged, duplicates], [0, 0, 700]);
  assert.deepEqual(rowsOf(t, to.path), rows);
});

test('an older database is imported, and what of it has no place or could not be kept is said', async (t) => {
  const { path } = makeOlder(join(folder(t), 'old.sqlite'), 'v3');
  const db = new Database(path);
  db.exec("UPDATE agent_runs SET items_failed = 'many' WHERE rowid = 1");
  db.close();
  const dry = await cliHere(['import', path, '--dry-run', '--json'], localEnvironment(service().directory));
  assert.deepEqual([dry.code, (JSON.parse(dry.stdout) as { records: number }).records], [0, 60]);
  const { code, stdout, stderr } = await cli(['import', path], localEnvironment(service().directory));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^60 records: 60 new, .*; 1 row with values that could not be kept as they were, in /);
  assert.match(stderr, /what stands in run_events and commits has no place in the API, and is passed over/);
});

function made(path: string, sql: string): string {
  const db = new Database(path);
  db.exec(sql);
  db.close();
  return path;
}

test('the target itself, a newer database and one of something else are refused', async (t) => {
  const directory = folder(t);
  const link = join(directory, 'link.sqlite');
  symlinkSync(service().path, link);
  const newer = `CREATE TABLE agent_runs (run_id TEXT); CREATE TABLE schema_migrations (version INTEGER);
    INSERT INTO schema_migrations VALUES (99)`;
  const refusals: [string, RegExp][] = [
    [service().path, /is the very database that it would be imported into, or its lock file\. Name another with --db/],
    [`${service().path}.lock`, /, or its lock file\. Name another/],
    [link, /is the very database that it would be imported into/],
    [
      made(join(directory, 'newer.sqlite'), newer),
      /has schema version 99, and versions up to 9 are known here\. Install a newer/,
    ],
    [made(join(directory, 'notes.sqlite'), 'CREATE TABLE notes (x)'), /is a SQLite database, but holds no runs/],
  ];
  await Promise.all(
    refusals.map(async ([path, why]) => {
      const ended = await cliHere(['import', path], localEnvironment(service().directory));
      assert.match(ended.stderr, why);
      assert.equal(ended.code, 1);
    }),
  );
});
