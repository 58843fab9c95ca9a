import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { SCHEMA_FILE, schemaOf, schemaText } from '../../../scripts/schema.ts';
import { migrate, readMigrations } from '../../../src/actors/writer/migrate.ts';
import { fileDatabase } from '../../support/database.ts';

test('migrations/schema.sql is what the numbered files add up to', () => {
  assert.equal(
    readFileSync(SCHEMA_FILE, 'utf8'),
    schemaText(),
    'migrations/schema.sql is out of date; run `npm run schema`',
  );
});

test('migrations/schema.sql makes the same database as the numbered files', (t) => {
  const db = new Database(':memory:');
  db.exec(readFileSync(SCHEMA_FILE, 'utf8'));
  assert.deepEqual(schemaOf(db), schemaOf(fileDatabase(t).db), 'run `npm run schema`');
});

test('a database migrated a step at a time has the schema of a fresh one', (t) => {
  const migrations = readMigrations();
  const db = new Database(':memory:');
  for (const [index, { version }] of migrations.entries()) {
    const before = migrations[index - 1]?.version ?? 0;
    assert.deepEqual(migrate(db, before, migrations.slice(0, index + 1)), [version]);
  }
  assert.deepEqual(schemaOf(db), schemaOf(fileDatabase(t).db));
});

test('the indexes that the deployment guide names are there', (t) => {
  const indexes = schemaOf(fileDatabase(t).db).filter((sql) => sql.startsWith('CREATE INDEX'));
  for (const wanted of [
    'idx_runs_created_desc ON agent_runs (created_at DESC)',
    'idx_runs_agent_status_created ON agent_runs (agent_name, status, created_at DESC)',
    'idx_runs_agent_created ON agent_runs (agent_name, created_at DESC)',
    'idx_runs_start ON agent_runs (start_time)',
    'idx_runs_status ON agent_runs (status, created_at DESC)',
    'idx_runs_job_type ON agent_runs (job_type, created_at DESC)',
  ]) {
    assert.ok(indexes.includes(`CREATE INDEX ${wanted}`), wanted);
  }
});

test('events and commits of a run that is not there can be written, for nothing points at the run', (t) => {
  const { db } = fileDatabase(t);
  db.exec("INSERT INTO run_events (run_id, event_type, timestamp) VALUES ('nobody', 'checkpoint', 't')");
  db.exec("INSERT INTO commits (commit_hash, run_id) VALUES ('abc', 'nobody')");
  assert.equal(db.pragma('foreign_keys', { simple: true }), 1);
  assert.deepEqual(db.pragma('foreign_key_check'), []);
});
