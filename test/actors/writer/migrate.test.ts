import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { inspect } from '../../../src/actors/writer/inspect.ts';
import { migrate, type Migration, readMigrations } from '../../../src/actors/writer/migrate.ts';
import { aRecord, folder, insertRuns } from '../../support/database.ts';

const FIRST =
  'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT, description TEXT); CREATE TABLE agent_runs (run_id);';

function migrationsOf(t: TestContext, files: Record<string, string>): Migration[] {
  const directory = folder(t);
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, name), sql);
  return readMigrations(directory);
}

const columnsOf = (db: Database.Database): unknown[] =>
  db.prepare("SELECT name FROM pragma_table_info('agent_runs')").pluck().all();
const versionsOf = (db: Database.Database): unknown[] =>
  db.prepare('SELECT version FROM schema_migrations ORDER BY 1').pluck().all();

test('numbered files are read in the order of their numbers, and nothing else is', (t) => {
  const migrations = migrationsOf(t, {
    '0010-third-step.sql': 'SELECT 3',
    '0008-runs.sql': 'SELECT 1',
    '0009-more.sql': 'SELECT 2',
    'schema.sql': 'no',
    '11-short.sql': 'no',
    '0012-notes.md': 'no',
    '0013-copy.sql.bak': 'no',
  });
  assert.deepEqual(migrations, [
    { version: 8, description: 'runs', sql: 'SELECT 1' },
    { version: 9, description: 'more', sql: 'SELECT 2' },
    { version: 10, description: 'third step', sql: 'SELECT 3' },
  ]);
});

test('our own files start at 8, and each number is there once', () => {
  const versions = readMigrations().map(({ version }) => version);
  assert.deepEqual(
    versions,
    versions.map((_version, index) => 8 + index),
  );
});

test('a new database takes every step, an older one those it lacks, a newest one none', (t) => {
  const files = {
    '0008-runs.sql': FIRST,
    '0009-b.sql': 'ALTER TABLE agent_runs ADD b',
    '0010-c.sql': 'ALTER TABLE agent_runs ADD c',
  };
  const migrations = migrationsOf(t, files);
  const db = new Database(':memory:');
  assert.deepEqual(migrate(db, 0, migrations.slice(0, 2)), [8, 9]);
  assert.deepEqual(migrate(db, 9, migrations), [10]);
  assert.deepEqual(migrate(db, 10, migrations), []);
  assert.deepEqual(columnsOf(db), ['run_id', 'b', 'c']);
  assert.deepEqual(versionsOf(db), [8, 9, 10]);
  const { applied_at, description } = db.prepare('SELECT * FROM schema_migrations WHERE version = 10').get() as Record<
    string,
    string
  >;
  assert.equal(description, 'c');
  assert.ok(!Number.isNaN(Date.parse(applied_at ?? '')));
});

test('a step that fails half-way leaves nothing of itself, and all of those before it', (t) => {
  const migrations = migrationsOf(t, {
    '0008-runs.sql': FIRST,
    '0009-bad.sql': 'ALTER TABLE agent_runs ADD b; INSERT INTO agent_runs (run_id) VALUES (1); SELECT no_such_column;',
    '0010-c.sql': 'ALTER TABLE agent_runs ADD c',
  });
  const db = new Database(':memory:');
  assert.throws(() => migrate(db, 0, migrations), /no such column/);
  assert.deepEqual([columnsOf(db), versionsOf(db), db.inTransaction], [['run_id'], [8], false]);
});

test('a database in between two steps goes on from where it stands', (t) => {
  const migrations = migrationsOf(t, { '0008-runs.sql': FIRST, '0009-b.sql': 'ALTER TABLE agent_runs ADD b' });
  const path = join(folder(t), 'x.sqlite');
  const first = new Database(path);
  migrate(first, inspect(path, migrations), migrations.slice(0, 1));
  first.close();
  const second = new Database(path);
  t.after(() => second.close());
  assert.deepEqual(migrate(second, inspect(path, migrations), migrations), [9]);
  assert.equal(inspect(path, migrations), 9);
});

test('a database of an earlier checkout, which lacks a table of the first step, gets it and keeps its runs', () => {
  const [first] = readMigrations();
  assert.ok(first);
  const db = new Database(':memory:');
  migrate(db, 0, [first]);
  const schema = (): unknown[] => db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
  const complete = schema();
  insertRuns(db, [aRecord()]);
  db.exec('DROP TABLE spool_files');
  assert.deepEqual(migrate(db, first.version, [first]), []);
  assert.deepEqual(schema(), complete);
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 1);
  assert.deepEqual(versionsOf(db), [first.version]);
});
