import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { converterOf, derivedEventId, type OlderValue, originalOf } from '../../src/run/older.ts';
import { canonicalTimestamp, COLUMNS, FIELD_INDEX, TABLE } from '../../src/run.ts';
import { memoryDatabase } from '../support/database.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => hash('sha1', bytes, 'buffer');
const columns = [...COLUMNS, 'note'];

const likely = fc.constantFrom<OlderValue>(
  '',
  ' ',
  'running',
  'FAILED',
  'unknown',
  '2025-12-10 12:05:30',
  '2025-12-10T12:05:30.5+02:00',
  '1765368330',
  '{"a": 1}',
  '{"a": 12345678901234567890}',
  `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`,
  'https://u:p@example.org/r',
  'a\0b',
  '\uD800',
  'true',
  '-0',
  '9'.repeat(500),
  0n,
  -1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -0.0,
  0.5,
  1e300,
  Infinity,
  -Infinity,
  1765368330.123456,
  Uint8Array.of(0xff, 0),
);
const value: fc.Arbitrary<OlderValue> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 4, arbitrary: likely },
  fc.string({ unit: 'binary' }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.uint8Array({ maxLength: 20 }),
);
const row = fc.array(value, { minLength: columns.length, maxLength: columns.length });

test('whatever is in a row, it becomes one that the schema accepts, the same one each time', () => {
  const db = memoryDatabase();
  const names = [...COLUMNS, 'defaulted', 'id'];
  const insert = db.prepare(`INSERT INTO agent_runs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`);
  const read = db.prepare(`SELECT ${names.join(', ')} FROM agent_runs WHERE id = ?`).raw();
  const convert = converterOf(columns, sha1);
  let id = 0;
  const property = fc.property(row, (given) => {
    id++;
    const before = structuredClone(given);
    const { values, defaulted, repairs } = convert(given, id);
    assert.deepEqual(given, before, 'the given row is left alone');
    assert.deepEqual(converterOf(columns, sha1)(given, id), { ...convert(given, id), values, defaulted, repairs });
    for (const [index, { kind, name }] of TABLE.entries()) {
      const stored = values[index] ?? null;
      if (kind === 'timestamp' && stored !== null) assert.equal(canonicalTimestamp(String(stored)), stored, name);
      if (kind === 'count') assert.ok(Number.isSafeInteger(stored) && (stored as number) >= 0, name);
      if (typeof stored === 'string') assert.ok(stored.isWellFormed() && !stored.includes('\0'), name);
    }
    const written = [...values, defaulted, id];
    // The same run may come again, and event_ids are unique.
    written[FIELD_INDEX.event_id] = `${String(written[FIELD_INDEX.event_id])} ${id}`;
    insert.run(written);
    assert.deepEqual(read.get(id), written);
    assert.equal(Object.keys(JSON.parse(originalOf(columns, given)) as object).length, columns.length);
  });
  fc.assert(property, { numRuns: 400 });
});

test('a row of a few columns, in any order and case, has the defaults in the others', () => {
  const property = fc.property(fc.shuffledSubarray([...COLUMNS]), fc.infiniteStream(value), (some, stream) => {
    const given = some.map(() => stream.next().value as OlderValue);
    const upper = converterOf(
      some.map((name) => name.toUpperCase()),
      sha1,
    )(given, 7);
    const whole = columns.map((name) =>
      some.includes(name as (typeof COLUMNS)[number])
        ? (given[some.indexOf(name as (typeof COLUMNS)[number])] ?? null)
        : null,
    );
    const full = converterOf(columns, sha1)(whole, 7);
    assert.deepEqual(upper, full);
  });
  fc.assert(property, { numRuns: 100 });
});

test('derived event_ids are UUIDs of version 5, apart for each run_id, id and attempt', () => {
  const ids = [
    derivedEventId(sha1, 'r'),
    derivedEventId(sha1, 'r', 1),
    derivedEventId(sha1, 'r', 1, 1),
    derivedEventId(sha1, 's'),
  ];
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
});
