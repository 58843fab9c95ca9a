import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recount } from '../../../src/actors/writer/recount.ts';
import { emptyCounts, Rollups, runsKey } from '../../../src/actors/writer/rollups.ts';
import {
  aRecord,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  insertRuns,
  memoryDatabase,
  rollupsOf,
  totalsOf,
  update,
} from '../../support/database.ts';

test('a recount of nothing is done at once and empties the tables', () => {
  const db = memoryDatabase();
  const rollups = new Rollups(db);
  rollups.add({ runs: new Map([[runsKey('gone', 'j', 'running'), 3]]), hours: new Map([['2025-01-01T00', 3]]) });
  const recount = new Recount(db);
  assert.equal(recount.step(0), true);
  recount.finish(rollups);
  assert.deepEqual(rollupsOf(db), { runs: [], hours: [] });
});

test('without time it counts one window of ids, and jumps over ids that are gone', () => {
  const db = memoryDatabase();
  insertRuns(db, [aRecord(), aRecord(), aRecord()]);
  db.exec('UPDATE agent_runs SET id = 5000 WHERE id = 2; UPDATE agent_runs SET id = 5000000 WHERE id = 3');
  const recount = new Recount(db);
  assert.equal(recount.covers(1), false);
  assert.equal(recount.step(0), false);
  assert.deepEqual(
    [1, 5000, 5001].map((id) => recount.covers(id)),
    [true, true, false],
  );
  assert.equal(recount.step(0), false);
  assert.deepEqual(
    [4_999_999, 5_004_999, 5_005_000].map((id) => recount.covers(id)),
    [true, true, false],
  );
  assert.equal(recount.step(0), true);
});

test('with time enough it counts everything in one step, and adds what changed meanwhile', () => {
  const db = memoryDatabase();
  insertRuns(db, [aRecord(), aRecord({ status: 'success', created_at: '2026-01-09T23:59:59Z' })]);
  const rollups = new Rollups(db);
  const recount = new Recount(db);
  assert.equal(recount.step(60_000), true);
  recount.add({ ...emptyCounts(), hours: new Map([['2026-01-10T12', 2]]) });
  recount.finish(rollups);
  assert.deepEqual(rollupsOf(db).runs, totalsOf(db).runs);
  assert.deepEqual(rollupsOf(db).hours, [
    ['2026-01-09T23', 1],
    ['2026-01-10T12', 3],
  ]);
});

test('the rollups are not trusted before the recount has ended, and are then', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { rollupsTrusted: false, changeCounter: 100 });
  const state = (): unknown => new Rollups(db).state();
  writer.execute(groupOf(create(aRecord())));
  assert.deepEqual(state(), { changeCounter: 101, trusted: false });
  writer.recount(0);
  assert.equal(writer.recounting, true);
  writer.recount(0);
  assert.equal(writer.recounting, false);
  assert.deepEqual(state(), { changeCounter: 102, trusted: true });
  writer.execute(groupOf(create(aRecord())));
  assert.deepEqual(state(), { changeCounter: 103, trusted: true });
});

test('a recount whose end cannot be committed starts anew and still ends right', (t) => {
  const { db } = fileDatabase(t);
  insertRuns(db, [aRecord(), aRecord()]);
  const writer = groupWriter(db, { rollupsTrusted: false });
  writer.recount(0);
  db.pragma('query_only = ON');
  assert.throws(() => writer.recount(0), { code: 'SQLITE_READONLY' });
  assert.equal(writer.recounting, true);
  db.pragma('query_only = OFF');
  const known = String(db.prepare('SELECT event_id FROM agent_runs').pluck().get());
  writer.execute(groupOf(update(known, { status: 'success' })));
  while (writer.recounting) writer.recount(0);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('what belonged to runs that another program deleted goes with a recount, wherever its ids lie', () => {
  const db = memoryDatabase();
  insertRuns(db, [aRecord(), aRecord()]);
  db.exec('UPDATE agent_runs SET id = 20000 WHERE id = 2');
  db.pragma('foreign_keys = OFF');
  for (const id of [1, 3, 9_999, 20_000, 20_001, 90_000]) {
    db.prepare("INSERT INTO run_clocks VALUES (?, '{}')").run(id);
    db.prepare("INSERT INTO run_originals VALUES (?, '[]', '{}')").run(id);
  }
  db.pragma('foreign_keys = ON');
  const recount = new Recount(db);
  while (!recount.step(0));
  // Meanwhile a run was given the id of an orphan.
  insertRuns(db, [aRecord()]);
  db.exec('UPDATE agent_runs SET id = 9999 WHERE id > 20000');
  recount.finish(new Rollups(db));
  for (const table of ['run_clocks', 'run_originals']) {
    assert.deepEqual(db.prepare(`SELECT id FROM ${table} ORDER BY 1`).pluck().all(), [1, 9_999, 20_000], table);
  }
  assert.deepEqual(db.pragma('foreign_key_check'), []);
});

test('ids below 1 are counted too', () => {
  const db = memoryDatabase();
  insertRuns(db, [aRecord(), aRecord(), aRecord()]);
  db.exec('UPDATE agent_runs SET id = -7 WHERE id = 1; UPDATE agent_runs SET id = 0 WHERE id = 2');
  const [rollups, recount] = [new Rollups(db), new Recount(db)];
  while (!recount.step(0));
  recount.finish(rollups);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});
