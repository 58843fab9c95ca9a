/** Merging by the real commands, through the real database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../../src/actors/database.ts';
import type { BatchResult } from '../../../src/actors/protocol.ts';
import {
  aRecord,
  batch,
  codesOf,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  rollupsOf,
  type Sent,
  totalsOf,
  update,
} from '../../support/database.ts';
import { twoOrders } from '../../support/records.ts';

type Fields = Record<string, unknown>;

const NOON = Date.UTC(2026, 0, 10, 12);

function rowOf(db: Connection, eventId: string): Fields {
  const row = db.prepare('SELECT * FROM agent_runs WHERE event_id = ?').get(eventId) as Fields;
  return { ...row, id: undefined };
}

test('any order and any repetition of any records of a run gives the same row in the database', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  // One row a record, or several to a batch: how they come together must not matter either.
  const outcome = (records: Fields[], together: number): unknown => {
    db.exec("DELETE FROM agent_runs WHERE event_id = 'e'; DELETE FROM rollup_runs; DELETE FROM rollup_hours");
    const [first, ...rest] = records;
    assert.deepEqual(codesOf(writer.execute(groupOf(create(first)))), ['ok']);
    for (let at = 0; at < rest.length; at += together) {
      const merged = batch(rest.slice(at, at + together), true);
      assert.deepEqual(codesOf(writer.execute(groupOf(merged, merged))), ['ok', 'ok']);
    }
    assert.deepEqual(rollupsOf(db), totalsOf(db), 'the rollups followed');
    return rowOf(db, 'e');
  };
  fc.assert(
    fc.property(twoOrders('e'), fc.integer({ min: 1, max: 4 }), ([records, again], together) => {
      assert.deepEqual(outcome(again, together), outcome(records, 1));
    }),
    { numRuns: 60 },
  );
});

const story = (eventId: string): { start: Sent; cancelled: Sent; completion: Sent } => {
  const base = aRecord({ event_id: eventId, run_id: 'r' });
  return {
    start: create({ ...base, status: 'running', created_at: '2026-01-10T10:00:00Z' }),
    cancelled: update(eventId, { status: 'cancelled', error_summary: 'stale' }),
    completion: batch([{ ...base, status: 'success', end_time: '2026-01-10T11:00:00Z', updated_at: null }], true),
  };
};

test('a completion from the spool beats the `cancelled` of a stale-run clean-up that came first', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  const { start, cancelled, completion } = story('e');
  assert.deepEqual(codesOf(writer.execute(groupOf(start, cancelled, completion))), ['ok', 'ok', 'ok']);
  assert.equal(rowOf(db, 'e').status, 'success');
});

test('a `cancelled` that a PATCH sets on a completed run stays when the completion comes again', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  const { start, cancelled, completion } = story('e');
  assert.deepEqual(codesOf(writer.execute(groupOf(start, completion, cancelled, completion))), [
    'ok',
    'ok',
    'ok',
    'ok',
  ]);
  assert.equal(rowOf(db, 'e').status, 'cancelled');
});

test('merging says how many records came, brought something, or were known', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  const known = aRecord({ status: 'running' });
  const ended = { ...known, status: 'success' };
  const records = [known, known, ended, ended, aRecord(), { event_id: 'half' }];
  const [outcome] = writer.execute(groupOf(batch(records, true)));
  assert.ok(outcome?.ok);
  const { inserted, merged, duplicates, errors, total } = outcome.value as BatchResult;
  assert.deepEqual(
    { inserted, merged, duplicates, errors: errors.length, total },
    { inserted: 2, merged: 1, duplicates: 2, errors: 1, total: 6 },
  );
});

test('a plain batch leaves known runs as they are', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  const known = aRecord({ status: 'running', host: 'first' });
  writer.execute(groupOf(create(known)));
  const before = rowOf(db, known.event_id);
  const [outcome] = writer.execute(groupOf(batch([{ ...known, status: 'success', host: 'second' }])));
  assert.ok(outcome?.ok && (outcome.value as BatchResult).duplicates === 1);
  assert.deepEqual(rowOf(db, known.event_id), before);
});

test('clocks are kept only for runs that changed after their creation', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db, { now: () => NOON });
  const [quiet, changed] = [aRecord(), aRecord()];
  writer.execute(
    groupOf(create(quiet), create(changed), batch([quiet], true), update(changed.event_id, { items_failed: 1 })),
  );
  const clocked = db.prepare('SELECT event_id FROM agent_runs JOIN run_clocks USING (id)').pluck().all();
  assert.deepEqual(clocked, [changed.event_id]);
});
