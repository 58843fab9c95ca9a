import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationBetween, FIELD_INDEX, isGiven, rowOf, type SqlValue } from '../../src/run.ts';

const NOW = '2026-01-10T12:00:00.000000+00:00';

for (const [start, end, duration] of [
  ['2026-01-10T12:00:00.000000+00:00', '2026-01-10T12:03:20.000000+00:00', 200_000],
  ['2026-01-10T12:00:00.000000+00:00', '2026-01-10T12:00:00.000999+00:00', 0],
  ['2026-01-10T12:00:00.000999+00:00', '2026-01-10T12:00:00.001998+00:00', 0],
  ['2026-01-10T12:00:00.999999+00:00', '2026-01-10T12:00:01.000999+00:00', 1],
  ['2025-12-31T23:59:59.500000+00:00', '2026-01-01T00:00:00.250000+00:00', 750],
  ['2024-02-28T00:00:00.000000+00:00', '2024-03-01T00:00:00.000000+00:00', 172_800_000],
  ['1900-02-28T00:00:00.000000+00:00', '1900-03-01T00:00:00.000000+00:00', 86_400_000],
  ['0001-01-01T00:00:00.000000+00:00', '9999-12-31T23:59:59.999999+00:00', 315_537_897_599_999],
  ['2026-01-10T12:00:01.000000+00:00', '2026-01-10T12:00:00.000000+00:00', 0],
] as const) {
  test(`from ${start} to ${end} it takes ${duration} ms`, () => {
    assert.equal(durationBetween(start, end), duration);
  });
}

test('whatever the times, it is the milliseconds between them, rounded down', () => {
  const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
  const canonical = (at: bigint): string => {
    const rest = ((at % 1_000n) + 1_000n) % 1_000n;
    const date = new Date(Number((at - rest) / 1_000n));
    return `${date.toISOString().slice(0, 23)}${String(rest).padStart(3, '0')}+00:00`;
  };
  fc.assert(
    fc.property(micros, micros, (one, other) => {
      const [start, end] = one < other ? [one, other] : [other, one];
      assert.equal(durationBetween(canonical(start), canonical(end)), Number((end - start) / 1_000n));
      assert.equal(durationBetween(canonical(end), canonical(start)), 0);
    }),
    { numRuns: 500 },
  );
});

test('times that another program wrote in its own way have no duration', () => {
  const odd: readonly unknown[] = [
    ...[null, 5, '', 'soon', NOW.slice(0, 19), `${NOW}Z`, NOW.replace('+00:00', '+02:00'), 'x'.repeat(26) + '+00:00'],
    ...[NOW.replace('12:00:00', '1a:00:00'), NOW.replace('000000', '\uffff00000'), new Uint8Array(32), 2 ** 63],
  ];
  for (const value of odd as SqlValue[]) {
    assert.equal(durationBetween(value, '9999-12-31T23:59:59.999999+00:00'), 0, String(value));
    assert.equal(durationBetween('0001-01-01T00:00:00.000000+00:00', value), 0, String(value));
  }
});

const REQUIRED = { event_id: 'e', run_id: 'r', agent_name: 'a', job_type: 'j', start_time: '2026-01-10T10:00:00Z' };
const end_time = '2026-01-10T12:00:01.5+01:00';

for (const [what, record, duration, given] of [
  ['that gives none gets what lies between its times', { end_time }, 3_601_500, false],
  ['that gives null gets what lies between its times', { end_time, duration_ms: null }, 3_601_500, false],
  ['that gives 0 and a later end has not given any', { end_time, duration_ms: 0 }, 3_601_500, false],
  ['that gives "0" and a later end has not given any', { end_time, duration_ms: '0' }, 3_601_500, false],
  ['that gives one keeps it', { end_time, duration_ms: 7 }, 7, true],
  ['that has not ended gets 0', {}, 0, false],
  ['that has not ended keeps the 0 it gives', { duration_ms: 0 }, 0, true],
  ['that ends before its start gets 0', { end_time: '2026-01-10T09:00:00Z' }, 0, false],
  ['that ends at its start keeps the 0 it gives', { end_time: REQUIRED.start_time, duration_ms: 0 }, 0, true],
] as const) {
  test(`a record ${what}`, () => {
    const { values, defaulted } = rowOf({ ...REQUIRED, ...record }, NOW);
    assert.equal(values[FIELD_INDEX.duration_ms], duration);
    assert.equal(isGiven(values, defaulted, FIELD_INDEX.duration_ms), given);
  });
}
