import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { Connection } from '../../../src/actors/database.ts';
import type { GroupWriter } from '../../../src/actors/writer/group.ts';
import { readChangeCounter } from '../../../src/actors/writer/header.ts';
import { day, done, optimize, reindex, remove, shrink } from '../../support/care.ts';
import {
  aRecord,
  batch,
  codesOf,
  fileDatabase,
  folder,
  groupOf,
  groupWriter,
  insertRuns,
  memoryDatabase,
  rollupsOf,
  type Sent,
  totalsOf,
  update,
} from '../../support/database.ts';
import { keptCounter, rollupsIn, sessionIn } from '../../support/session.ts';

const created = (db: Connection): unknown[] => db.prepare('SELECT created_at FROM agent_runs ORDER BY 1').pluck().all();
const count = (db: Connection, table: string): unknown => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

/** A database of ten runs, one a day. */
function tenDays(): { db: Connection; writer: GroupWriter } {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  const records = Array.from({ length: 10 }, (_, index) => aRecord({ created_at: day(index + 1) }));
  done(writer, batch(records));
  return { db, writer };
}

test('the oldest runs before a time are deleted, at most as many as said', () => {
  const { db, writer } = tenDays();
  assert.deepEqual(done(writer, remove(day(6), 2)), { deleted: 2 });
  assert.deepEqual(created(db)[0], day(3));
  assert.deepEqual(done(writer, remove(day(6), 10)), { deleted: 3 });
  assert.deepEqual(created(db), [6, 7, 8, 9, 10].map(day));
  assert.deepEqual(done(writer, remove(day(6), 10)), { deleted: 0 });
});

test('the counts are right whatever is deleted in whatever slices', () => {
  const runs = fc.array(
    fc.record({
      agent_name: fc.constantFrom('a', 'b'),
      status: fc.constantFrom('running', 'failure'),
      day: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 30 },
  );
  const slices = fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 8 })), { maxLength: 5 });
  fc.assert(
    fc.property(runs, slices, (given, cuts) => {
      const db = memoryDatabase();
      const writer = groupWriter(db);
      done(writer, batch(given.map(({ day: at, ...fields }) => aRecord({ ...fields, created_at: day(at) }))));
      for (const [at, limit] of cuts) done(writer, remove(day(at), limit));
      assert.deepEqual(rollupsOf(db), totalsOf(db));
      db.close();
    }),
    { numRuns: 40 },
  );
});

test("a deleted run's clocks go with it", () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  const record = aRecord({ created_at: day(1) });
  done(writer, batch([record]));
  done(writer, update(record.event_id, { status: 'success' }));
  assert.equal(count(db, 'run_clocks'), 1);
  done(writer, remove(day(2)));
  assert.equal(count(db, 'run_clocks'), 0);
});

test('events and commits of a deleted run go, unless another run has the same run_id', () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  done(
    writer,
    batch([
      aRecord({ run_id: 'alone', created_at: day(1) }),
      aRecord({ run_id: 'shared', created_at: day(1) }),
      aRecord({ run_id: 'shared', created_at: day(9) }),
    ]),
  );
  for (const runId of ['alone', 'shared']) {
    db.prepare("INSERT INTO run_events (run_id, event_type, timestamp) VALUES (?, 'start', '')").run(runId);
    db.prepare('INSERT INTO commits (commit_hash, run_id) VALUES (?, ?)').run(`hash-${runId}`, runId);
  }
  assert.deepEqual(done(writer, remove(day(5))), { deleted: 2 });
  assert.deepEqual(db.prepare('SELECT run_id FROM run_events').pluck().all(), ['shared']);
  assert.deepEqual(db.prepare('SELECT run_id FROM commits').pluck().all(), ['shared']);
});

test('until when runs were deleted is kept, and never goes back', () => {
  const { db, writer } = tenDays();
  for (const number of [4, 6, 2]) done(writer, remove(day(number)));
  assert.deepEqual(db.prepare('SELECT deleted_before FROM retention').pluck().all(), [day(6)]);
});

test('a retention that was stopped midway excuses no more than it has deleted', () => {
  const { db, writer } = tenDays();
  done(writer, remove(day(9), 3));
  assert.deepEqual(db.prepare('SELECT deleted_before FROM retention').pluck().all(), [day(3)]);
});

test('a deletion is found by the index, in its order', () => {
  const { db } = tenDays();
  const sql = `EXPLAIN QUERY PLAN SELECT id FROM agent_runs INDEXED BY idx_runs_created_desc
    WHERE created_at < ? ORDER BY created_at, id DESC LIMIT ?`;
  const plan = db.prepare(sql).all(day(1), 1) as { detail: string }[];
  assert.deepEqual(
    plan.map(({ detail }) => detail.includes('SEARCH agent_runs USING COVERING INDEX idx_runs_created_desc')),
    [true],
  );
});

/** A file of a thousand runs with some text, all of which were deleted. */
function emptied(t: TestContext): { db: Connection; writer: GroupWriter; path: string } {
  const { db, path } = fileDatabase(t);
  const writer = groupWriter(db);
  insertRuns(
    db,
    Array.from({ length: 1_000 }, () => aRecord({ created_at: day(1), output_summary: 'x'.repeat(1_000) })),
  );
  done(writer, remove(day(2)));
  return { db, writer, path };
}

test('free pages are given back to the file system, a slice at a time', (t) => {
  const { writer, path } = emptied(t);
  const before = statSync(path).size;
  const first = done(writer, shrink(100)) as { freed: number; free: number; able: boolean };
  assert.deepEqual([first.freed, first.able], [100, true]);
  assert.ok(first.free > 100, 'there is more to give back');
  assert.ok(statSync(path).size <= before - 100 * 4096);
  assert.deepEqual(done(writer, shrink()), { freed: first.free, free: 0, able: true });
  assert.deepEqual(done(writer, shrink()), { freed: 0, free: 0, able: true });
});

test('a file that keeps its pages says so, and stays as it is', (t) => {
  const { db, path } = fileDatabase(t);
  db.pragma('auto_vacuum = NONE');
  db.exec('VACUUM');
  insertRuns(db, [aRecord({ created_at: day(1), output_summary: 'x'.repeat(100_000) })]);
  const writer = groupWriter(db);
  done(writer, remove(day(2)));
  const before = statSync(path).size;
  const { freed, free, able } = done(writer, shrink()) as { freed: number; free: number; able: boolean };
  assert.deepEqual([freed, able], [0, false]);
  assert.ok(free > 20);
  assert.equal(statSync(path).size, before);
});

test('after every kind of care the header holds what the next start trusts', (t) => {
  const directory = folder(t);
  const session = sessionIn(t, directory);
  const { path } = session.open();
  const values = { created_at: day(1), output_summary: 'x'.repeat(50_000) };
  session.commit(groupOf(batch([aRecord(values), aRecord(values), aRecord({ created_at: day(3) })])));
  const cares = [remove(day(2)), shrink(5), optimize(true), optimize(false), reindex('idx_runs_start'), shrink()];
  for (const sent of cares) {
    assert.deepEqual(codesOf(session.commit(groupOf(sent))), ['ok'], sent.name);
    assert.equal(keptCounter(path), counterOf(path), sent.name);
  }
  session.close();
  const next = sessionIn(t, directory);
  next.open();
  assert.equal(next.recounting, false);
});

// Through SQLite, for this process has the file open.
function counterOf(path: string): number {
  const copy = new Database(path, { readonly: true });
  try {
    return copy.serialize().readUInt32BE(24);
  } finally {
    copy.close();
  }
}

test('counts that have drifted are right again after a recount', (t) => {
  const directory = folder(t);
  const session = sessionIn(t, directory);
  const { path } = session.open();
  session.commit(groupOf(batch([aRecord(), aRecord()])));
  session.close();
  const drifted = new Database(path);
  drifted.exec('UPDATE rollup_runs SET runs = 7');
  const counter = drifted.serialize().readUInt32BE(24);
  // As if it had been our own commit, so that no start notices.
  drifted.prepare('UPDATE rollup_state SET change_counter = ?').run(counter + 1);
  drifted.close();
  assert.equal(readChangeCounter(path), counter + 1);
  const next = sessionIn(t, directory);
  next.open();
  assert.equal(next.recounting, false);
  next.commit(groupOf({ name: 'recount', args: {}, body: '' }));
  assert.equal(next.recounting, true);
  next.recount(1_000);
  next.close();
  const { kept, true: real } = rollupsIn(path);
  assert.deepEqual(kept, real);
});

test('care that comes in a group with runs costs none of them', () => {
  const { db, writer } = tenDays();
  const outcomes = writer.execute(
    groupOf(
      batch([aRecord({ created_at: day(1) })]),
      remove(day(2)),
      reindex('none'),
      optimize(true),
      batch([aRecord({ created_at: day(1) })]),
    ),
  );
  assert.deepEqual(codesOf(outcomes), ['ok', 'ok', 'not_found', 'ok', 'ok']);
  assert.equal(count(db, 'agent_runs'), 10);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('a recount that is asked for in the midst of another counts what its group changes', (t) => {
  const directory = folder(t);
  const session = sessionIn(t, directory);
  const { path } = session.open();
  const records = Array.from({ length: 6_000 }, () => aRecord({ status: 'running' }));
  session.commit(groupOf(batch(records)));
  const recount: Sent = { name: 'recount', args: {}, body: '' };
  session.commit(groupOf(recount));
  // One window of ids.
  session.recount(0);
  assert.equal(session.recounting, true);
  session.commit(groupOf(update(records[5]?.event_id ?? '', { status: 'success' }), recount));
  while (session.recounting) session.recount(1_000);
  session.close();
  const { kept, true: real } = rollupsIn(path);
  assert.deepEqual(kept, real);
});
