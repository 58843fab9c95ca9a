import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../../src/actors/database.ts';
import { type Counts, Rollups, runsKey } from '../../../src/actors/writer/rollups.ts';
import {
  batch,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  memoryDatabase,
  rollupsOf,
  type Sent,
  totalsOf,
  update,
} from '../../support/database.ts';
import { recordOf } from '../../support/records.ts';

const eventId = fc.constantFrom('e1', 'e2', 'e3', 'e4');
const record = eventId.chain(recordOf);
const status = fc.constantFrom('running', 'success', 'failed', 'cancelled', null);

/** Any command, some of which fail. */
const sent: fc.Arbitrary<Sent> = fc.oneof(
  record.map(create),
  fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 5, arbitrary: record as fc.Arbitrary<unknown> },
          { weight: 1, arbitrary: fc.constant({ event_id: 'bad' }) },
        ),
        { maxLength: 4 },
      ),
      fc.boolean(),
    )
    .map(([items, merge]) => batch(items, merge)),
  fc
    .tuple(eventId, status, fc.option(fc.nat(5)))
    .map(([id, state, failed]) => update(id, { status: state, items_failed: failed })),
  fc.constant(update('nobody', { status: 'success' })),
  fc.constant(create('{')),
);

const clear = (db: Connection): void =>
  db.exec('DELETE FROM agent_runs; DELETE FROM rollup_runs; DELETE FROM rollup_hours') as unknown as void;

test('after any commands in any groups the rollups are what a recount finds', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  fc.assert(
    fc.property(fc.array(fc.array(sent, { maxLength: 5 }), { maxLength: 6 }), (groups) => {
      clear(db);
      for (const group of groups) {
        writer.execute(groupOf(...group));
        assert.deepEqual(rollupsOf(db), totalsOf(db));
      }
    }),
    { numRuns: 60 },
  );
});

test('a recount beside any commands ends with what is there, wherever it stood', (t) => {
  const { db } = fileDatabase(t);
  // Ids far apart: a window of the recount ends between them.
  const spread = (): void =>
    void db.exec('UPDATE agent_runs SET id = id + 20000 WHERE id = (SELECT max(id) FROM agent_runs)');
  db.pragma('foreign_keys = OFF');
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 6 }),
      fc.array(fc.array(sent, { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      (before, groups) => {
        clear(db);
        db.exec('DELETE FROM run_clocks');
        const foreign = groupWriter(db);
        for (const one of before) {
          foreign.execute(groupOf(create(one)));
          spread();
        }
        db.exec(
          "DELETE FROM run_clocks; UPDATE rollup_runs SET runs = runs + 7; INSERT INTO rollup_hours VALUES ('1999-01-01T00', 5)",
        );
        const writer = groupWriter(db, { rollupsTrusted: false });
        assert.equal(writer.recounting, true);
        for (const group of groups) {
          writer.recount(0);
          writer.execute(groupOf(...group));
        }
        while (writer.recounting) writer.recount(0);
        assert.deepEqual(rollupsOf(db), totalsOf(db));
      },
    ),
    { numRuns: 40 },
  );
});

test('a count that falls to nothing leaves its table', () => {
  const db = memoryDatabase();
  const rollups = new Rollups(db);
  const counts = (by: number): Counts => ({
    runs: new Map([[runsKey('a', 'j', 'running'), by]]),
    hours: new Map([['2026-01-10T12', by]]),
  });
  rollups.add(counts(2));
  rollups.add(counts(-1));
  assert.deepEqual(rollupsOf(db), { runs: [['a', 'j', 'running', 1]], hours: [['2026-01-10T12', 1]] });
  rollups.add(counts(0));
  rollups.add(counts(-1));
  assert.deepEqual(rollupsOf(db), { runs: [], hours: [] });
});

test('replacing forgets what was there', () => {
  const db = memoryDatabase();
  const rollups = new Rollups(db);
  rollups.add({ runs: new Map([[runsKey('old', 'j', 'running'), 3]]), hours: new Map([['2025-01-01T00', 3]]) });
  rollups.replace({ runs: new Map([[runsKey('new', 'j', 'success'), 1]]), hours: new Map() });
  assert.deepEqual(rollupsOf(db), { runs: [['new', 'j', 'success', 1]], hours: [] });
});

test('the state is kept to the last bit, and nothing is trusted before it was ever set', () => {
  const rollups = new Rollups(memoryDatabase());
  assert.deepEqual(rollups.state(), { changeCounter: null, trusted: false });
  for (const changeCounter of [2 ** 32 - 1, 0, null, 5]) {
    for (const trusted of [true, false]) {
      rollups.setState({ changeCounter, trusted });
      assert.deepEqual(rollups.state(), { changeCounter, trusted });
    }
  }
});
