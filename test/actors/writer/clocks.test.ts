import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Clock,
  type ClockedRow,
  type Clocks,
  compareClocks,
  mergeRecord,
  parseClocks,
  patchRow,
  recordClock,
  type Row,
  serialiseClocks,
} from '../../../src/actors/writer/clocks.ts';
import { FIELD_INDEX, rowOf, storedValue, type FieldName } from '../../../src/run.ts';
import { aRecord, NOW } from '../../support/database.ts';
import { twoOrders } from '../../support/records.ts';

const LATER = '2026-01-10T13:00:00.000000+00:00';

/** Records that are cleaned up and complete after all, often. */
const SETTLED = ['running', 'cancelled', 'cancelled', 'success', 'failure'];

type Fields = Record<string, unknown>;
type State = Row & { clocks?: Clocks };

const started = (fields: Fields = {}): Row => rowOf(aRecord({ event_id: 'e', run_id: 'r', ...fields }), NOW);
const merge = (state: State, record: Row): State => mergeRecord(state, state.clocks, record) ?? state;
const patch = (state: State, fields: Fields, now = NOW): ClockedRow => {
  const named = Object.entries(fields).map(([name, value]) => {
    const index = FIELD_INDEX[name as FieldName];
    return [index, storedValue(index, value)] as const;
  });
  return patchRow(state, state.clocks, new Map([...named, [FIELD_INDEX.updated_at, now]]), now);
};
const get = ({ values }: Row, name: FieldName): unknown => values[FIELD_INDEX[name]];

test('any order and any repetition of any records of a run gives the same row', () => {
  fc.assert(
    fc.property(fc.oneof(twoOrders('e'), twoOrders('e', SETTLED)), ([records, again]) => {
      const outcome = (list: Fields[]): Row => {
        const [first, ...rest] = list.map((record) => rowOf(record, NOW));
        const { values, defaulted } = rest.reduce<State>(merge, first as Row);
        return { values, defaulted };
      };
      assert.deepEqual(outcome(again), outcome(records));
    }),
    { numRuns: 300 },
  );
});

test('a record that is known already brings nothing', () => {
  fc.assert(
    fc.property(fc.oneof(twoOrders('e'), twoOrders('e', SETTLED)), ([records]) => {
      const [first, ...rest] = records.map((record) => rowOf(record, NOW)) as [Row, ...Row[]];
      const state = rest.reduce<State>(merge, first);
      for (const row of [first, ...rest]) assert.equal(mergeRecord(state, state.clocks, row), undefined);
    }),
    { numRuns: 100 },
  );
});

test('merging changes neither of its inputs', () => {
  const current = started({ host: 'a' });
  const before = structuredClone(current);
  const record = started({ host: 'b', status: 'success' });
  const known = structuredClone(record);
  const { clocks } = merge(current, record);
  const kept = structuredClone(clocks);
  assert.ok(clocks && mergeRecord(current, clocks, started({ host: 'c', status: 'failed', updated_at: LATER })));
  assert.deepEqual([current, record, clocks], [before, known, kept]);
});

test('null and defaults never win over what was said', () => {
  const said = started({ host: 'a', items_failed: 3, duration_ms: 5 });
  const silent = started({ host: null, items_failed: null, status: 'success', updated_at: LATER });
  const merged = merge(said, silent);
  assert.deepEqual([get(merged, 'host'), get(merged, 'items_failed'), get(merged, 'duration_ms')], ['a', 3, 5]);
  assert.equal(get(merged, 'status'), 'success');
  assert.deepEqual(merge(silent, said).values, merged.values);
});

test('a zero that was said wins over an older number', () => {
  const older = started({ items_failed: 3, updated_at: NOW });
  const newer = started({ items_failed: 0, updated_at: LATER });
  assert.equal(get(merge(older, newer), 'items_failed'), 0);
  assert.equal(get(merge(newer, older), 'items_failed'), 0);
});

test("an older client's end record, whose updated_at is null, beats its start record", () => {
  const start = started({ status: 'running', updated_at: '2026-01-10T12:00:05Z', output_summary: 'working' });
  const end = started({
    status: 'success',
    updated_at: null,
    end_time: '2026-01-10T12:00:04Z',
    output_summary: 'done',
  });
  for (const row of [merge(start, end), merge(end, start)]) {
    assert.deepEqual([get(row, 'status'), get(row, 'output_summary')], ['success', 'done']);
  }
});

test('among records of one rank the later one wins, by updated_at, end_time, created_at or start_time', () => {
  for (const name of ['updated_at', 'end_time', 'created_at', 'start_time'] as const) {
    const earlier = started({ [name]: '2026-01-10T12:00:00Z', host: 'earlier' });
    const later = started({ [name]: '2026-01-10T12:00:00.000001Z', host: 'later' });
    assert.equal(get(merge(earlier, later), 'host'), 'later', name);
    assert.equal(get(merge(later, earlier), 'host'), 'later', name);
  }
});

test('the clock of a record is its rank, its own time and its content, not the time of its arrival', () => {
  const record = aRecord({ event_id: 'e', status: 'cancelled' });
  const [rank, time, digest] = recordClock(rowOf(record, NOW));
  assert.deepEqual([rank, time], [1, '2026-01-10T12:00:00.000000+00:00']);
  assert.deepEqual(recordClock(rowOf(record, LATER)), [rank, time, digest]);
  assert.notEqual(recordClock(rowOf({ ...record, host: 'h' }, NOW))[2], digest);
});

test('a late older record does not undo a PATCH', () => {
  const patched = patch(started(), { output_summary: 'patched', items_failed: 2 }, LATER);
  const late = started({ output_summary: 'late', items_failed: 9, host: 'h', updated_at: NOW });
  const merged = merge(patched, late);
  assert.deepEqual([get(merged, 'output_summary'), get(merged, 'items_failed')], ['patched', 2]);
  assert.equal(get(merged, 'host'), 'h', 'what the PATCH did not name is brought');
  assert.equal(get(merged, 'updated_at'), LATER);
});

test('a PATCH wins over all that was said before, even from the future or by an earlier PATCH of the same instant', () => {
  const future = started({ status: 'success', updated_at: '2030-01-01T00:00:00Z', output_summary: 'future' });
  const first = patch(future, { output_summary: 'first' });
  const second = patch(first, { output_summary: 'second', status: 'running' });
  assert.deepEqual([get(second, 'output_summary'), get(second, 'status')], ['second', 'running']);
  assert.deepEqual(merge(second, future).values, second.values, 'the record comes again and changes nothing');
});

test('a completion beats the `cancelled` of a stale-run clean-up that came before it', () => {
  const cancelled = patch(started(), { status: 'cancelled', error_summary: 'stale' }, LATER);
  const completion = started({ status: 'success', end_time: '2026-01-10T12:30:00Z', updated_at: null });
  assert.equal(get(merge(cancelled, completion), 'status'), 'success');
});

const clock = fc.tuple(fc.nat(2), fc.constantFrom(NOW, LATER), fc.constantFrom('a', 'b', '~0', '~1'));

test('clocks are in one order', () => {
  fc.assert(
    fc.property(clock, clock, clock, (a: Clock, b: Clock, c: Clock) => {
      assert.equal(Math.sign(compareClocks(a, b)), -Math.sign(compareClocks(b, a)) + 0);
      assert.equal(compareClocks(a, b) === 0, a.join() === b.join());
      if (compareClocks(a, b) <= 0 && compareClocks(b, c) <= 0) assert.ok(compareClocks(a, c) <= 0);
    }),
  );
});

test('clocks come back from their text as they were', () => {
  const names = fc.constantFrom('status', 'host', 'items_failed', 'updated_at');
  const hidden = fc.constantFrom(null, 0, 1, '', 'ü', '{"a":1}');
  const came = fc.record({ clock, shown: fc.boolean(), hidden }, { noNullPrototype: true });
  const clocks = fc.record(
    {
      base: clock,
      fields: fc.array(fc.tuple(names, clock)).map((list) => new Map(list)),
      cancelled: fc.array(fc.tuple(names, came)).map((list) => new Map(list)),
    },
    // Of before this release there is no telling apart.
    { noNullPrototype: true, requiredKeys: ['base', 'fields'] },
  );
  fc.assert(fc.property(clocks, (given) => assert.deepEqual(parseClocks(serialiseClocks(given)), given)));
});

test('fields that share a clock share its text', () => {
  const shared: Clock = [2, LATER, 'digest'];
  const text = serialiseClocks({
    base: [0, NOW, 'base'],
    fields: new Map([
      ['a', shared],
      ['b', shared],
    ]),
  });
  assert.equal(text.split('digest').length, 2);
});
