import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { type Connection, openReadonly, openWritable } from '../../../src/actors/database.ts';
import { aRecord, codesOf, create, databaseConfig, fileDatabase, folder, groupOf } from '../../support/database.ts';
import { groupWriter, insertRuns, rollupsOf, totalsOf } from '../../support/database.ts';

/** Holds the file by `lock` in another connection, and lets it go when `db` tries `statement` for the third time. */
function heldUntilThird(t: TestContext, db: Connection, path: string, lock: string, statement: string): () => number {
  const foreign = new Database(path);
  t.after(() => foreign.close());
  foreign.exec(lock);
  let attempts = 0;
  const exec = db.exec.bind(db);
  db.exec = (sql: string) => {
    if (sql === statement && ++attempts === 3) foreign.exec('ROLLBACK');
    return exec(sql);
  };
  // Each try fails at once, as a slice of waiting does at its end.
  db.pragma('busy_timeout = 0');
  return () => attempts;
}

for (const [lock, statement] of [
  ['BEGIN EXCLUSIVE', 'BEGIN IMMEDIATE'],
  ['BEGIN IMMEDIATE', 'BEGIN IMMEDIATE'],
  ['BEGIN; SELECT * FROM agent_runs', 'COMMIT'],
] as const) {
  test(`a foreign "${lock}" that ends in time costs a group nothing: ${statement} is tried again`, (t) => {
    const { db, path } = fileDatabase(t);
    insertRuns(db, [aRecord()]);
    const attempts = heldUntilThird(t, db, path, lock, statement);
    const writer = groupWriter(db, { busyTimeoutMs: 600_000 });
    assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord()), create(aRecord())))), ['ok', 'ok']);
    assert.equal(attempts(), 3);
    assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 3);
  });
}

test('the end of a recount waits for a foreign writer as well', (t) => {
  const { db, path } = fileDatabase(t);
  insertRuns(db, [aRecord()]);
  const writer = groupWriter(db, { busyTimeoutMs: 600_000, rollupsTrusted: false });
  const attempts = heldUntilThird(t, db, path, 'BEGIN IMMEDIATE', 'BEGIN IMMEDIATE');
  writer.recount(600_000);
  assert.deepEqual([writer.recounting, attempts()], [false, 3]);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('SQLite itself never waits long for a lock, whatever is configured', (t) => {
  const config = databaseConfig(folder(t), { busyTimeoutMs: 600_000 });
  const writable = openWritable(config);
  t.after(() => writable.close());
  writable.exec('CREATE TABLE t (x)');
  const readonly = openReadonly(config.path, 600_000);
  t.after(() => readonly.close());
  for (const db of [writable, readonly]) {
    const timeout = db.pragma('busy_timeout', { simple: true }) as number;
    assert.ok(timeout > 0 && timeout <= 1_000, `${timeout} ms`);
  }
});
