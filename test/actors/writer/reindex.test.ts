import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { done, loseEntry, optimize, reindex } from '../../support/care.ts';
import {
  aRecord,
  codesOf,
  fileDatabase,
  groupOf,
  groupWriter,
  insertRuns,
  memoryDatabase,
} from '../../support/database.ts';

test('an index that lacks an entry is whole again when it is built anew', (t) => {
  const { db, path } = fileDatabase(t);
  db.close();
  loseEntry(path, 'idx_runs_start');
  const damaged = new Database(path);
  t.after(() => damaged.close());
  assert.match(String(damaged.pragma('integrity_check', { simple: true })), /entries in index idx_runs_start/);
  done(groupWriter(damaged), reindex('idx_runs_start'));
  assert.equal(damaged.pragma('integrity_check', { simple: true }), 'ok');
});

test('an index that cannot be built says so, with a remedy, and the runs beside it are stored', (t) => {
  const { db, path } = fileDatabase(t);
  insertRuns(db, [aRecord({ run_id: 'same' })]);
  db.exec('CREATE UNIQUE INDEX one_run_id ON agent_runs (run_id)');
  db.close();
  loseEntry(path, 'one_run_id', { run_id: 'same' });
  const damaged = new Database(path);
  t.after(() => damaged.close());
  const outcomes = groupWriter(damaged).execute(
    groupOf(reindex('one_run_id'), reindex('idx_runs_start'), optimize(true)),
  );
  assert.deepEqual(codesOf(outcomes), ['bad_request', 'ok', 'ok']);
  assert.match(JSON.stringify(outcomes[0]), /cannot be built: rows that must differ.*Restore a backup/);
});

test('an index that the schema does not have is not found', () => {
  const writer = groupWriter(memoryDatabase());
  assert.deepEqual(codesOf(writer.execute(groupOf(reindex('idx"x')))), ['not_found']);
});
