/** What the schemas take is what the service takes; where a schema cannot say it, it is the wider of the two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readListTask } from '../../src/http/filters.ts';
import { LIST_QUERY } from '../../src/http/openapi/list-parameters.ts';
import { PATCH_FIELDS, TABLE } from '../../src/run.ts';
import { acceptsPatch, acceptsRun, explainCommit } from '../../src/run/check.ts';
import type { KindName } from '../../src/run/kinds.ts';
import { validatorOf } from '../support/openapi.ts';
import { aRun } from '../support/service.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** Values at the edges of each kind; every kind is tried with those of all. */
const ODD: readonly unknown[] = [
  ...[null, true, false, '', ' ', 'text', 'a\nb', '\0', 'a\0b', 'lone \ud800', 'ä'],
  ...[0, -0, 1, -1, 1.5, 1e3, MAX, MAX + 1, 1e300],
  ...['0', '1', '00', '-1', '+1', '1.5', ' 1', '1\n', String(MAX), `${MAX}0`, '9007199254740992', '9100000000000000'],
  ...['0000000000000001', '00000000000000001', '0x10', '٣', 'true', 'false', 'True', 'yes'],
  ...[
    '5.0',
    '+5.',
    ' 5 ',
    '5.5',
    '1e3',
    ' FALSE ',
    'TRUE',
    '1765368330',
    '1765368330.25',
    1765368330,
    1765368330.25,
    1765368330000,
    5,
    1e30,
  ],
  ...[
    '2026-01-10T12:00:00+00:00Z',
    ' 2026-01-10T12:00:00Z\n',
    '2026-01-10T12:00:00ZZ',
    'manual',
    'llm',
    'ci',
    'CI',
    'x'.repeat(512),
    'x'.repeat(513),
    'ü'.repeat(300),
  ],
  ...['running', 'success', 'succeeded', 'failed', 'FAILED', 'odd'],
  ...['2026-01-10T12:00:00Z', '2026-01-10', '20260110T120000', '2026-02-30', '2026-1-1', '0000-01-01', '12:00'],
  ...['{}', '{"a":1}', '[]', '1', 'null', '{"a":', ' {} '],
  ...[{}, { a: 1 }, [], [1], [{}], { a: { b: [null] } }],
];

/** Kinds of which a schema cannot say all. */
const WIDER: ReadonlySet<KindName> = new Set(['id', 'timestamp', 'json']);

const oddValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.nat(MAX).map(String) },
  { weight: 1, arbitrary: fc.bigInt(9_000_000_000_000_000n, 9_100_000_000_000_000n).map(String) },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

/** Both verdicts are the same, or the schema takes more where it may. */
function compare(wider: boolean, schema: boolean, service: boolean, what: () => string): void {
  if (!wider || service) assert.equal(schema, service, `the service takes it: ${service}; ${what()}`);
}

const takesRun = validatorOf('RunInput');
const takesChange = validatorOf('RunChange');

function compareField(index: number, value: unknown): void {
  const { name, kind } = TABLE[index] ?? assert.fail();
  const what = (): string => `${name}: ${JSON.stringify(value)}`;
  const run = { ...aRun(), [name]: value };
  compare(WIDER.has(kind), takesRun(run), acceptsRun(run), what);
  if (!PATCH_FIELDS.some((field) => field.name === name)) return;
  const change = { [name]: value };
  compare(WIDER.has(kind), takesChange(change), acceptsPatch(change), what);
}

test('every odd value of every field is taken by the schema as by the service', () => {
  for (const index of TABLE.keys()) for (const value of ODD) compareField(index, value);
});

test('whatever a field holds, the schema says what the service does', () => {
  const field = fc.nat(TABLE.length - 1);
  fc.assert(
    fc.property(field, oddValue, (index, value) => compareField(index, value)),
    { numRuns: 400 },
  );
});

test('only lone surrogates are what the schema of an id does not see', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (event_id) => {
      const run = { ...aRun(), event_id };
      assert.equal(takesRun(run), acceptsRun(run), JSON.stringify(event_id));
    }),
    { numRuns: 200 },
  );
});

const takesTime = (value: string): boolean => takesChange({ end_time: value });

/** Whether the date is in the calendar; years at its ends, out of which an offset may lead, are left out. */
function isInCalendar(value: string): boolean {
  const [year, month, day] = [/^..../, /(?<=^....-?)../, /(?<=^....-?..-?)../].map((part) => Number(part.exec(value)));
  if (!year || !month || !day || year < 2 || year > 9998) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Timestamps and what is almost one: right and wrong parts, in the right order. */
const almostTime = fc
  .tuple(
    fc.constantFrom('2026', '2024', '0000', '9998', '1900', '026'),
    fc.constantFrom('-', ''),
    fc.constantFrom('01', '02', '12', '00', '13', '1'),
    fc.constantFrom('-', ''),
    fc.constantFrom('01', '28', '29', '30', '31', '32', '00', '1'),
    fc.constantFrom('T', 't', ' ', '', '  ', '_'),
    fc.constantFrom('', '00', '23', '24', '7'),
    fc.constantFrom(':', ''),
    fc.constantFrom('', '00', '59', '60', '5'),
    fc.constantFrom(':', ''),
    fc.constantFrom('', '00', '59', '60', '59.1', '59,123456789012', '59.1234567890123', '59.'),
    fc.constantFrom('', ' ', '  '),
    fc.constantFrom('', 'Z', 'z', '+02', '-0230', '+23:59', '+24', '-02:60', '+2', 'UTC', ' 02:00'),
    fc.constantFrom('', '', '', '\n', ' ', 'x'),
  )
  .map((parts) => parts.join(''));

/** The same parts, but only those that agree: most of what comes out is a timestamp. */
const time = fc
  .tuple(fc.date({ noInvalidDate: true, min: new Date('0100-01-01'), max: new Date('9998-12-31') }), fc.boolean())
  .chain(([date, basic]) => {
    const text = date.toISOString();
    const short = [text.slice(0, 10), text.slice(0, 16), text.slice(0, 19), text].map((each) =>
      basic ? each.replaceAll(/[-:]/g, '') : each,
    );
    return fc.tuple(fc.constantFrom(...short), fc.constantFrom('', 'Z', '+02', '-0930', '+05:45', ' +02:00'));
  })
  .map((parts) => parts.join('').replace('ZZ', 'Z'));

test('a timestamp in the calendar is taken by the schema as by the service', () => {
  let [taken, refused] = [0, 0];
  const compareTime = (value: string): void => {
    const [schema, service] = [takesTime(value), acceptsPatch({ end_time: value })];
    if (schema !== service) assert.ok(schema && !isInCalendar(value), `${JSON.stringify(value)}: service ${service}`);
    if (schema) taken++;
    else refused++;
  };
  for (const value of ['1767225600', '20260101T000000+00:00Z', ' 2026-01-01\t'])
    assert.deepEqual([takesTime(value), acceptsPatch({ end_time: value })], [true, true], value);
  for (const value of ['20260101', '2026-0101', '202601-01', '2026-01-01T00', '2026-01-01T0000Z'])
    assert.deepEqual([takesTime(value), acceptsPatch({ end_time: value })], [false, false], value);
  fc.assert(fc.property(fc.oneof(almostTime, time), compareTime), { numRuns: 5_000 });
  assert.ok(taken > 500 && refused > 500, `${taken} were taken, ${refused} refused`);
});

test('a run lacks a required field, or is no object, for the schema as for the service', () => {
  for (const value of [...ODD, aRun(), { ...aRun(), unknown: [] }]) assert.equal(takesRun(value), acceptsRun(value));
  for (const { name } of TABLE) {
    const run = Object.fromEntries(Object.entries(aRun()).filter(([key]) => key !== name));
    assert.equal(takesRun(run), acceptsRun(run), `without ${name}`);
  }
});

test('a commit is taken by the schema as by the service', () => {
  const takesCommit = validatorOf('CommitInput');
  const hash = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'09azAZ._-'), minLength: 5, maxLength: 66 }),
    fc.constantFrom('abcdef', 'abcdefg', 'a'.repeat(64), 'a'.repeat(65), 'abc..defg', 'abcdef1\n', 'abcdef/'),
    oddValue,
  );
  const source = fc.oneof(fc.constantFrom('manual', 'llm', 'ci', 'CI'), oddValue);
  const commit = fc.record(
    { commit_hash: hash, commit_source: source, commit_author: oddValue, commit_timestamp: oddValue },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: commit }, oddValue), (value) => {
      assert.equal(takesCommit(value), explainCommit(value).length === 0, JSON.stringify(value));
    }),
    { numRuns: 400 },
  );
});

test('what the schema of a parameter takes, the list takes', () => {
  const samples = [
    '0',
    '1',
    '1000',
    '1001',
    '-1',
    '1.5',
    'odd',
    '2026-01-10',
    '20260110',
    '2026-01-10T12:00:00+02:00',
    'running',
    'failed',
  ];
  let refused = 0;
  for (const [name, { schema }] of Object.entries(LIST_QUERY)) {
    const { type, enum: names, minimum = 0, maximum = 0 } = (schema.items ?? schema) as Partial<Record<string, never>>;
    for (const sample of samples) {
      const whole = /^-?\d+$/.test(sample) && Number(sample) >= minimum && Number(sample) <= maximum;
      const { pattern = '' } = schema as { pattern?: string };
      const among = names === undefined || (names as string[]).includes(sample);
      const taken = type === 'integer' ? whole : among && new RegExp(pattern, 'u').test(sample);
      if (name === 'cursor') continue;
      const list = (): unknown => readListTask(new URLSearchParams({ [name]: sample }));
      if (taken) assert.doesNotThrow(list, `${name}=${sample}`);
      else assert.throws(list, `${name}=${sample}`);
      if (!taken) refused++;
    }
  }
  assert.ok(refused > 10, 'some are refused');
});
