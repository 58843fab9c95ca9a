import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Clocks, mergeRecord, patchRow, type Row } from '../../../src/actors/writer/clocks.ts';
import { COLUMNS, FIELD_INDEX, type FieldName, PATCH_FIELDS, rowOf, storedValue } from '../../../src/run.ts';
import { aRecord, NOW } from '../../support/database.ts';
import { recordOf } from '../../support/records.ts';

type Fields = Record<string, unknown>;
type State = Row & { clocks?: Clocks };
type Step = { record: Fields } | { patch: Fields };

const LATER = '2026-01-10T13:00:00.000000+00:00';

const merge = (state: State, record: Row): State => mergeRecord(state, state.clocks, record) ?? state;

function changesOf(fields: Fields, now: string): Map<number, Row['values'][number]> {
  const named = Object.entries(fields).map(([name, value]) => {
    const index = FIELD_INDEX[name as FieldName];
    return [index, storedValue(index, value)] as const;
  });
  return new Map([...named, [FIELD_INDEX.updated_at, now]]);
}

const patch = (state: State, fields: Fields, now = NOW): State =>
  patchRow(state, state.clocks, changesOf(fields, now), now);

const patchable = new Set(PATCH_FIELDS.map(({ name }) => name));
const given = ([name, value]: [string, unknown]): boolean =>
  patchable.has(name as FieldName) && value !== null && value !== undefined;
const aPatch = recordOf('e')
  .map((record) => Object.fromEntries(Object.entries(record).filter(given)))
  .filter((fields) => Object.keys(fields).length > 0);
const times = fc.constantFrom(NOW, LATER, '2026-01-09T00:00:00.000000+00:00');

interface Story {
  first: Fields;
  steps: Step[];
  last: Fields;
  now: string;
  /** Places in the story's records, in the order in which they come again. */
  again: number[];
}

const story: fc.Arbitrary<Story> = fc.record({
  first: recordOf('e'),
  steps: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: recordOf('e').map((record): Step => ({ record })) },
      { weight: 1, arbitrary: aPatch.map((fields): Step => ({ patch: fields })) },
    ),
    { maxLength: 4 },
  ),
  last: aPatch,
  now: times,
  again: fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
});

/** What the story's last PATCH set, and what became of it when records from before it came again. */
function told({ first, steps, last, now, again }: Story): { set: Fields; kept: Fields } {
  const records = [first, ...steps.flatMap((step) => ('record' in step ? [step.record] : []))].map((record) =>
    rowOf(record, NOW),
  );
  let state: State = rowOf(first, NOW);
  for (const step of steps) {
    state = 'record' in step ? merge(state, rowOf(step.record, NOW)) : patch(state, step.patch);
  }
  state = patch(state, last, now);
  const before = state;
  for (const place of again) state = merge(state, records[place % records.length] as Row);
  const named = [...changesOf(last, now).keys()];
  const of = ({ values }: Row): Fields =>
    Object.fromEntries(named.map((index) => [COLUMNS[index] as string, values[index]]));
  return { set: of(before), kept: of(state) };
}

test('records from before a PATCH change none of its fields when they come again', () => {
  fc.assert(
    fc.property(story, (given) => {
      const { set, kept } = told(given);
      assert.deepEqual(kept, set);
    }),
    { numRuns: 2_000 },
  );
});

const started = (fields: Fields): Row => rowOf(aRecord({ event_id: 'e', run_id: 'r', ...fields }), NOW);

test('what a PATCH says after a completion holds when that comes again, `cancelled` too', () => {
  const completion = started({ status: 'success', error_summary: 'none', output_summary: 'done', items_failed: 3 });
  const cancelled = patch(completion, { status: 'cancelled', error_summary: 'stale', items_failed: 4 }, LATER);
  const { values } = merge(cancelled, completion);
  const shown = (['status', 'error_summary', 'items_failed', 'output_summary', 'updated_at'] as const).map(
    (name) => values[FIELD_INDEX[name]],
  );
  assert.deepEqual(shown, ['cancelled', 'stale', 4, 'done', LATER]);
});
