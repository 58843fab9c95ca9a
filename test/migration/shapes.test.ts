import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { schemaOf } from '../../scripts/schema.ts';
import { inspect } from '../../src/actors/writer/inspect.ts';
import { readMigrations } from '../../src/actors/writer/migrate.ts';
import { migrateOlder } from '../../src/actors/writer/older/migrate.ts';
import { fileDatabase, folder, rollupsOf, totalsOf } from '../support/database.ts';
import { makeOlder, makeOlderInWal, type Older } from '../support/older.ts';
import { OLDER_SCHEMAS, type OlderSchemaName } from '../support/older-schemas.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';

const FIXTURES: readonly (readonly [string, (path: string) => Older])[] = [
  ...Object.keys(OLDER_SCHEMAS).map((name) => {
    return [name, (path: string) => makeOlder(path, name as OlderSchemaName)] as const;
  }),
  ['v3 with half of it in a WAL', makeOlderInWal],
];

const tables = ['agent_runs', 'run_events', 'commits'] as const;

function contentOf(path: string): Record<string, unknown[]> {
  const db = new Database(path, { readonly: true });
  try {
    return Object.fromEntries(
      tables.map((table) => [table, db.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all()]),
    );
  } finally {
    db.close();
  }
}

for (const [name, make] of FIXTURES) {
  test(`${name}: every field of every run is taken over, and the older database kept as it was`, (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = make(path);
    const before = contentOf(path);
    const { migrated, phases } = migrateWholly(path);
    assert.deepEqual(differences(path, older.runs), []);
    assert.deepEqual(phases, ['check', 'copy', 'index', 'count', 'verify']);
    assert.deepEqual([migrated.from, migrated.to, migrated.rows], [older.version, 9, older.runs.length]);
    assert.deepEqual([migrated.events, migrated.commits], [before.run_events?.length, before.commits?.length]);
    assert.match(migrated.backup, new RegExp(`/t\\.sqlite\\.v${older.version}-\\d{8}T\\d{6}Z\\.backup$`));
    assert.deepEqual(contentOf(migrated.backup), before, 'the backup');
    const after = contentOf(path);
    assert.deepEqual([after.run_events, after.commits], [before.run_events, before.commits]);
    const left = readdirSync(join(path, '..')).filter((file) => !file.includes('.origin'));
    assert.deepEqual(left.sort(), ['t.sqlite', migrated.backup.split('/').at(-1)].sort(), 'nothing else is left');
    assert.equal(inspect(path, readMigrations()), 9);
  });
}

test('what was built has the schema of a new database, its counts, and no foreign keys onto a run_id', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  migrateWholly(path);
  const db = new Database(path);
  t.after(() => db.close());
  assert.deepEqual(schemaOf(db).sort(), schemaOf(fileDatabase(t).db).sort());
  assert.deepEqual(rollupsOf(db), totalsOf(db));
  assert.equal(
    db.prepare('SELECT count(*) FROM run_clocks').pluck().get(),
    0,
    'runs that were never changed need no clocks',
  );
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  assert.equal(db.pragma('auto_vacuum', { simple: true }), 2);
  db.exec("INSERT INTO run_events (run_id, event_type, timestamp) VALUES ('nobody', 'checkpoint', 't')");
  assert.deepEqual(db.pragma('foreign_key_check'), []);
});

test('the versions gone through stay written down, and ours behind them', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6 with a nullable event_id');
  migrateWholly(path);
  const db = new Database(path, { readonly: true });
  t.after(() => db.close());
  const rows = db.prepare('SELECT version, applied_at, description FROM schema_migrations').raw().all() as unknown[][];
  assert.deepEqual(rows.slice(0, 2), [
    [5, '2025-12-01 00:00:00', 'to 5'],
    [6, '2025-12-01 00:00:00', 'to v6'],
  ]);
  assert.deepEqual([rows.length, rows[2]?.[0], rows[2]?.[2]], [4, 8, 'runs']);
});

test('what is no part of telemetry stays in the backup, and is named', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  const db = new Database(path);
  db.exec(`CREATE TABLE notes (x); CREATE VIEW recent AS SELECT * FROM agent_runs; ALTER TABLE commits ADD COLUMN score;
    CREATE TRIGGER touch AFTER INSERT ON agent_runs BEGIN SELECT 1; END;`);
  db.close();
  const { migrated } = migrateWholly(path);
  const expected = ['column commits.score', 'table notes', 'trigger touch', 'view recent'];
  assert.deepEqual(migrated.leftBehind, expected);
});

test('who could read the older database can read the new one, and nobody else', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  const { uid, gid } = statSync(path);
  chmodSync(path, 0o640);
  const { migrated } = migrateWholly(path);
  const after = statSync(path);
  assert.deepEqual([after.mode & 0o777, after.uid, after.gid], [0o640, uid, gid]);
  assert.equal(statSync(migrated.backup).mode & 0o777, 0o640);
});

test('to end a migration early leaves the older database in its place, and nothing beside it', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v6', 300);
  const before = contentOf(path);
  for (const phase of ['check', 'copy', 'index', 'count', 'verify']) {
    stopAt(path, phase);
    assert.deepEqual(readdirSync(join(path, '..')), ['t.sqlite'], phase);
    assert.equal(existsSync(`${path}.migrating`), false);
    assert.deepEqual(contentOf(path), before, phase);
  }
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});

function stopAt(path: string, phase: string): void {
  for (const progress of migrateOlder(path)) if (progress.phase === phase) return;
  assert.fail(`it never came to ${phase}`);
}
