/** What came with a `cancelled` gives way to a completion: the rules of it, apart from the order in which records come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Clock,
  type Clocks,
  compareClocks,
  mergeRecord,
  parseClocks,
  patchRow,
  recordClock,
  type Row,
  serialiseClocks,
} from '../../../src/actors/writer/clocks.ts';
import {
  COLUMNS,
  durationBetween,
  FIELD_INDEX,
  isGiven,
  PATCH_FIELDS,
  rowOf,
  setDefaulted,
  storedValue,
  TABLE,
  type FieldName,
  type SqlValue,
} from '../../../src/run.ts';
import { aRecord, NOW } from '../../support/database.ts';
import { twoOrders } from '../../support/records.ts';

type Fields = Record<string, unknown>;
type State = Row & { clocks?: Clocks };

const LATER = '2026-01-10T13:00:00.000000+00:00';
const LAST = '2026-01-10T14:00:00.000000+00:00';
const OUTCOME = new Set<string>(
  PATCH_FIELDS.map(({ name }) => name).filter((name) => name !== 'status' && !name.startsWith('git_commit_')),
);
const at = FIELD_INDEX;

const record = (fields: Fields = {}): Row => rowOf(aRecord({ event_id: 'e', run_id: 'r', ...fields }), NOW);
/** Through the text of the clocks, as it is stored. */
const stored = <S extends State>(state: S): S =>
  state.clocks ? { ...state, clocks: parseClocks(serialiseClocks(state.clocks)) } : state;
const merge = (state: State, row: Row): State => stored(mergeRecord(state, state.clocks, row) ?? state);
const patch = (state: State, fields: Fields, now: string): State => {
  const named = Object.entries(fields).map(([name, value]) => {
    const index = FIELD_INDEX[name as FieldName];
    return [index, storedValue(index, value)] as const;
  });
  return stored(patchRow(state, state.clocks, new Map([...named, [at.updated_at, now]]), now));
};
const shown = ({ values }: Row, ...names: FieldName[]): SqlValue[] => names.map((name) => values[at[name]] ?? null);

/** What a set of records must show: said here by the rules, with no order in it. */
function expected(records: readonly Row[]): Row {
  const best = (index: number, among: readonly Row[]): Row | undefined =>
    among
      .filter(({ values, defaulted }) => isGiven(values, defaulted, index))
      .sort((a, b) => compareClocks(recordClock(b), recordClock(a)))[0];
  const cancelled = records.filter(({ values }) => values[at.status] === 'cancelled');
  const others = records.filter((row) => !cancelled.includes(row));
  const completed = !['running', 'cancelled'].includes(
    String((best(at.status, records) ?? (records[0] as Row)).values[at.status]),
  );
  const values: SqlValue[] = [];
  let defaulted = 0;
  for (const [index, { name, default: fallback }] of TABLE.entries()) {
    const winner = best(index, OUTCOME.has(name) && completed ? others : records);
    values[index] = winner ? (winner.values[index] ?? null) : fallback === 'now' ? NOW : (fallback ?? null);
    if (!winner) defaulted = setDefaulted(defaulted, index);
  }
  if (values[at.duration_ms] === 0) {
    const derived = durationBetween(values[at.start_time] ?? null, values[at.end_time] ?? null);
    values[at.duration_ms] = derived;
    if (derived > 0) defaulted = setDefaulted(defaulted, at.duration_ms);
  }
  return { values, defaulted };
}

const named = ({ values, defaulted }: Row): Fields =>
  Object.fromEntries([...COLUMNS.map((name, index) => [name, values[index]]), ['defaulted', defaulted]]) as Fields;

test('whatever records come, in whatever order and how often, the run shows what the rules say', () => {
  fc.assert(
    fc.property(twoOrders('e', ['running', 'cancelled', 'success']), ([records, again]) => {
      const rows = records.map((fields) => rowOf(fields, NOW));
      const [first, ...rest] = again.map((fields) => rowOf(fields, NOW)) as [Row, ...Row[]];
      assert.deepEqual(named(rest.reduce<State>(merge, first)), named(expected(rows)));
    }),
    { numRuns: 200 },
  );
});

test('that 0 was said of a duration is kept while another is derived, in every order', () => {
  const said = record({ status: 'running', duration_ms: 0, updated_at: LATER });
  const before = record({ status: 'running', duration_ms: 5, updated_at: NOW });
  const ends = record({ status: 'success', end_time: LAST, updated_at: LATER });
  const cleanup = record({ status: 'cancelled', end_time: LAST, updated_at: LAST });
  const open = record({ status: 'success', updated_at: LATER });
  for (const rows of [
    [said, before, ends],
    [said, cleanup, open],
  ] as const) {
    for (const order of ['012', '021', '102', '120', '201', '210']) {
      const [first, ...rest] = [...order].map((place) => rows[Number(place)]) as [Row, ...Row[]];
      assert.deepEqual(named(rest.reduce<State>(merge, first)), named(expected(rows)), order);
    }
  }
});

const START = { status: 'running', start_time: '2026-01-10T10:00:00Z', items_succeeded: 2, output_summary: 'working' };
const CLEANUP = {
  status: 'cancelled',
  end_time: LATER,
  error_summary: 'Stale run cleaned up',
  output_summary: 'marked',
};
const COMPLETION = { status: 'success', end_time: NOW, error_summary: null, items_succeeded: 5 };
const OUTCOME_SHOWN = [
  'status',
  'end_time',
  'error_summary',
  'output_summary',
  'items_succeeded',
  'duration_ms',
] as const;
const AS_COMPLETED = ['success', NOW, null, 'working', 5, 7_200_000];

const bring = {
  merge: (state: State, fields: Fields): State =>
    merge(state, record({ start_time: START.start_time, ...fields, updated_at: fields.end_time })),
  patch: (state: State, fields: Fields): State => {
    const given = Object.entries(fields).filter(([, value]) => value !== null);
    return patch(state, Object.fromEntries(given), String(fields.end_time));
  },
};

for (const cleanup of ['merge', 'patch'] as const) {
  for (const completion of ['merge', 'patch'] as const) {
    test(`a clean-up by ${cleanup} leaves nothing in a run that completes by ${completion}`, () => {
      const cancelled = bring[cleanup](record(START), CLEANUP);
      assert.deepEqual(shown(cancelled, 'status', 'error_summary', 'output_summary', 'end_time', 'duration_ms'), [
        ...['cancelled', 'Stale run cleaned up', 'marked', LATER, 10_800_000],
      ]);
      assert.deepEqual(shown(bring[completion](cancelled, COMPLETION), ...OUTCOME_SHOWN), AS_COMPLETED);
    });
  }
  test(`a clean-up by merge that comes after a completion by ${cleanup} shows nowhere`, () => {
    const completed = bring[cleanup](record(START), COMPLETION);
    assert.deepEqual(shown(bring.merge(completed, CLEANUP), ...OUTCOME_SHOWN), AS_COMPLETED);
  });
}

test('a run that was created as cancelled completes without a trace of that, and its identity stays', () => {
  const created = record({ ...CLEANUP, product: 'words', host: 'h', duration_ms: 77, metrics_json: { guessed: 1 } });
  const completion = record({ status: 'failed', updated_at: null, items_failed: 1 });
  for (const row of [merge(created, completion), merge(completion, created)]) {
    assert.deepEqual(
      shown(row, 'status', 'end_time', 'error_summary', 'output_summary', 'duration_ms', 'metrics_json'),
      [...['failure', null, null, null, 0, null]],
    );
    assert.deepEqual(shown(row, 'product', 'host', 'items_failed'), ['words', 'h', 1]);
    assert.equal(isGiven(row.values, row.defaulted, at.duration_ms), false);
  }
});

test('a note and a commit that are set on a cancelled run are still there when it has completed', () => {
  const cancelled = bring.patch(record(START), CLEANUP);
  const noted = patch(cancelled, { output_summary: 'looked into', git_commit_hash: 'abc1234' }, LATER);
  assert.deepEqual(shown(noted, 'output_summary', 'error_summary'), ['looked into', 'Stale run cleaned up']);
  const completed = bring.merge(noted, COMPLETION);
  assert.deepEqual(shown(completed, 'output_summary', 'git_commit_hash', 'error_summary'), [
    'looked into',
    'abc1234',
    null,
  ]);
});

test('who cancels a completed run is believed at once, and nothing of the completion is lost by it', () => {
  const completed = bring.merge(record(START), COMPLETION);
  const cancelled = patch(completed, { status: 'cancelled', error_summary: 'by hand', items_succeeded: 0 }, NOW);
  assert.deepEqual(shown(cancelled, 'status', 'error_summary', 'items_succeeded'), ['cancelled', 'by hand', 0]);
  const again = bring.merge(cancelled, COMPLETION);
  assert.deepEqual(again.values, cancelled.values, 'the completion comes again and changes nothing');
  const reopened = patch(again, { status: 'success' }, LAST);
  assert.deepEqual(shown(reopened, 'status', 'error_summary', 'items_succeeded'), ['success', null, 5]);
  const running = patch(reopened, { status: 'running' }, LAST);
  assert.deepEqual(shown(running, 'error_summary', 'items_succeeded'), ['by hand', 0], 'and nothing of what was said');
});

test('what a release before this wrote is understood: what came with a `cancelled` then gives way now', () => {
  const [start, cleanup] = [record(START), record({ ...START, ...CLEANUP, updated_at: LATER })];
  const base = recordClock(start);
  const merged = new Map(
    ['status', 'end_time', 'error_summary', 'output_summary'].map((name) => [name, recordClock(cleanup)]),
  );
  const command = [1, LATER, '~000000000000'] as const;
  const patched = new Map(['status', 'end_time', 'error_summary', 'output_summary'].map((name) => [name, command]));
  for (const fields of [merged, patched]) {
    const text = serialiseClocks({ base, fields });
    assert.match(text, /^\{"c":\[.*\],"f":\{"status":1,/);
    const cancelled: State = { ...cleanup, values: [...cleanup.values], clocks: parseClocks(text) };
    assert.deepEqual(shown(bring.merge(cancelled, COMPLETION), 'status', 'error_summary', 'output_summary'), [
      ...['success', null, null],
    ]);
  }
});

test('a PATCH of a run that an older release had cancelled was no part of that', () => {
  const start = record(START);
  const cancelledAt = [1, LATER, '~000000000000'] as const;
  const fields = new Map<string, Clock>([
    ['status', cancelledAt],
    ['error_summary', [1, LAST, '~000000000000'] as const],
  ]);
  const row = record({ ...START, status: 'cancelled', error_summary: 'a note' });
  const state: State = { ...row, clocks: parseClocks(serialiseClocks({ base: recordClock(start), fields })) };
  assert.deepEqual(shown(bring.merge(state, COMPLETION), 'status', 'error_summary'), ['success', 'a note']);
});

test('runs that nobody cancelled have clocks of the same length as before', () => {
  const { clocks } = bring.merge(record(START), COMPLETION);
  assert.ok(clocks);
  const { base, fields } = clocks;
  assert.equal(serialiseClocks(clocks).length, serialiseClocks({ base, fields }).length);
});
