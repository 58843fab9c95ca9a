import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalTimestamp, timestampOf } from '../../src/run.ts';

const GOOD: readonly [given: string, canonical: string][] = [
  ['2026-01-10T12:00:00Z', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10T12:00:00.000000+00:00', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10t12:00:00z', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10 12:00:00', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10T12:00:00', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10T12:00', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-10', '2026-01-10T00:00:00.000000+00:00'],
  ['2026-01-10T12:00:00.5Z', '2026-01-10T12:00:00.500000+00:00'],
  ['2026-01-10T12:00:00,25Z', '2026-01-10T12:00:00.250000+00:00'],
  ['2026-01-10T12:00:00.123456789Z', '2026-01-10T12:00:00.123456+00:00'],
  ['2026-01-10T12:00:00.9999999Z', '2026-01-10T12:00:00.999999+00:00'],
  ['2026-01-10T12:00:00+01:00', '2026-01-10T11:00:00.000000+00:00'],
  ['2026-01-10T12:00:00.7+0530', '2026-01-10T06:30:00.700000+00:00'],
  ['2026-01-10T12:00:00-08', '2026-01-10T20:00:00.000000+00:00'],
  ['2026-01-10T12:00:00 +02:00', '2026-01-10T10:00:00.000000+00:00'],
  ['2026-01-10T12:00:00-00:00', '2026-01-10T12:00:00.000000+00:00'],
  ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000000+00:00'],
  ['2024-02-28T23:30:00-01:00', '2024-02-29T00:30:00.000000+00:00'],
  ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000000+00:00'],
  ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00.000000+00:00'],
  ['20260110T120000Z', '2026-01-10T12:00:00.000000+00:00'],
  ['20260110T1200', '2026-01-10T12:00:00.000000+00:00'],
  ['20260110T120000.5+0100', '2026-01-10T11:00:00.500000+00:00'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000+00:00'],
  ['0050-06-01T00:00:00+01:00', '0050-05-31T23:00:00.000000+00:00'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999+00:00'],
];

const BAD: readonly string[] = [
  ...['', ' ', 'now', 'yesterday', '1768046400', '2026', '2026-01', '12:00:00', 'null', '2026-01-10T'],
  ...['2026-00-10T12:00:00Z', '2026-13-10T12:00:00Z', '2026-01-00T12:00:00Z', '2026-01-32T12:00:00Z'],
  ...['2026-02-29T12:00:00Z', '1900-02-29T12:00:00Z', '2026-04-31T12:00:00Z', '2026-02-30T12:00:00.000000+00:00'],
  ...['2026-01-10T24:00:00Z', '2026-01-10T12:60:00Z', '2026-01-10T12:00:61Z', '2026-01-10T12:00:00+24:00'],
  ...['2026-01-10T12:00:00+01:60', '2026-01-10T12:00:00.Z', '2026-01-10T12:00:00Zjunk', ' 2026-01-10T12:00:00Z'],
  ...['2026-01-10T12:00:00Z\n', '2026-01-10T12:00:00Z\0', '26-01-10T12:00:00Z', '2026-1-10T12:00:00Z'],
  ...['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:30:00-01:00', '+010000-01-01T00:00:00Z'],
  ...['2026-01-10T12:00:00.1234567890123Z', '٢٠٢٦-01-10T12:00:00Z', '2026–01–10T12:00:00Z', '2026-01-10T12:00:00UTC'],
];

for (const [given, canonical] of GOOD) {
  test(`"${given}" is ${canonical}`, () => assert.equal(canonicalTimestamp(given), canonical));
}

test('what is no timestamp has no canonical form', () => {
  for (const text of BAD) assert.equal(canonicalTimestamp(text), undefined, JSON.stringify(text));
});

/** Without shrinking, which would go from instant to instant a millisecond at a time. */
const RUNS = { numRuns: 500, endOnFailure: true };

interface Instant {
  micros: bigint;
  text: string;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** An instant, and one of the many ways to write it. */
const instants: fc.Arbitrary<Instant> = fc
  .record({
    date: fc.oneof(
      fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
      fc.date({ min: new Date('2024-02-28'), max: new Date('2024-03-01'), noInvalidDate: true }),
    ),
    fraction: fc.integer({ min: 0, max: 999_999 }),
    offset: fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
    style: fc.constantFrom('extended', 'space', 'basic', 'naive', 'zulu'),
  })
  .map(({ date, fraction, offset, style }) => {
    const seconds = Math.floor(date.getTime() / 1000);
    const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction);
    const shift = style === 'naive' || style === 'zulu' ? 0 : offset;
    const local = new Date((seconds + shift * 60) * 1000).toISOString().slice(0, 19);
    const [hours, minutes] = [two(Math.floor(Math.abs(shift) / 60)), two(Math.abs(shift) % 60)];
    const zone =
      new Map([
        ['naive', ''],
        ['zulu', 'Z'],
      ]).get(style) ?? `${shift < 0 ? '-' : '+'}${hours}${style === 'basic' ? '' : ':'}${minutes}`;
    const text = `${local}.${String(fraction).padStart(6, '0')}${zone}`;
    if (style === 'basic') return { micros, text: text.slice(0, 19).replace(/[-:]/g, '') + text.slice(19) };
    return { micros, text: style === 'space' ? text.replace('T', ' ') : text };
  });

const canonicalOf = ({ text }: Instant): string => canonicalTimestamp(text) ?? assert.fail(`not understood: ${text}`);

test('the order of canonical texts is the order of time, whatever the offsets', () => {
  fc.assert(
    fc.property(instants, instants, (a, b) => {
      const [first, second] = [canonicalOf(a), canonicalOf(b)];
      assert.equal(first < second, a.micros < b.micros);
      assert.equal(first === second, a.micros === b.micros);
    }),
    RUNS,
  );
});

test('a canonical text names the same instant, has 32 characters and stays as it is', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const canonical = canonicalOf(instant);
      assert.equal(
        BigInt(Date.parse(`${canonical.slice(0, 19)}Z`)) * 1000n + BigInt(canonical.slice(20, 26)),
        instant.micros,
      );
      assert.equal(canonical.length, 32);
      assert.equal(canonicalTimestamp(canonical), canonical);
    }),
    RUNS,
  );
});

test('any text has a canonical form that stays as it is, or none', () => {
  const texts = fc.oneof(
    fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,7})?([+-]\d\d:\d\d|Z)?$/),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const canonical = canonicalTimestamp(text);
      if (canonical !== undefined) assert.equal(canonicalTimestamp(canonical), canonical);
    }),
    RUNS,
  );
});

test('a number of milliseconds has the same canonical form as its ISO text', () => {
  const milliseconds = Date.UTC(2026, 0, 10, 12, 0, 0, 123);
  assert.equal(timestampOf(milliseconds), '2026-01-10T12:00:00.123000+00:00');
  assert.equal(timestampOf(milliseconds), canonicalTimestamp(new Date(milliseconds).toISOString()));
});
