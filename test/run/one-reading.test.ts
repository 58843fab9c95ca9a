/** What a value means does not depend on the door through which it comes. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FieldName, FIELD_INDEX, parseJson, rowOf, TABLE } from '../../src/run.ts';
import { acceptsRun, explainRun, reasonAgainst } from '../../src/run/check.ts';
import { converterOf } from '../../src/run/older.ts';
import { readTime } from '../../src/run/times.ts';
import { growsLinearly } from '../support/linear.ts';
import { ODD_VALUES } from '../support/records.ts';

const NOW = '2026-01-10T12:00:00.000000+00:00';
const VALID = { event_id: 'e', run_id: 'r', agent_name: 'a', job_type: 'j', start_time: NOW, created_at: NOW };
const sha1 = (bytes: Uint8Array): Uint8Array => hash('sha1', bytes, 'buffer');

/** Text that some kind of field reads, or nearly does. */
const text = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '5',
      ' 5',
      '5.0',
      '+5.',
      '-0',
      '5.5',
      '1e3',
      'true',
      'True',
      ' FALSE ',
      '1',
      '0',
      'yes',
      'failed',
      'running',
    ],
    ...[
      '2026-01-10T12:00:00+00:00Z',
      ' 2026-01-10 ',
      '1765368330',
      '1765368330000',
      '1765368330.25',
      '20260110',
      '99999999',
    ],
    ...['manual', 'CI', 'https://u:p@github.com/o/r', '{"a":1}', '{', 'a\0b', 'x'.repeat(513), 'ü'.repeat(1_100)],
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'0123456789+-.: TZe') }),
  fc
    .date({ noInvalidDate: true, min: new Date('1980-01-01'), max: new Date('2200-01-01') })
    .map((date) => date.toISOString()),
  fc.nat().map(String),
);

test('what is read live of a text is what a migration reads of it, for every field', () => {
  const stored = new Set<string>();
  const property = fc.property(fc.constantFrom(...TABLE), text, ({ name, kind }, value) => {
    const record = { ...VALID, [name]: value };
    if (!acceptsRun(record, 'repair')) return;
    const live = rowOf(record, NOW);
    const columns = Object.keys(record);
    const older = converterOf(columns, sha1)(Object.values(record), 1);
    const index = FIELD_INDEX[name as FieldName];
    // Times that nobody gave are those of the arrival here, and are taken from the others there.
    if (value === '' && kind === 'timestamp') return;
    assert.equal(older.values[index], live.values[index], `${name}: ${JSON.stringify(value)}`);
    stored.add(kind);
    if (live.originals) assert.ok(older.repairs.includes(`${name}: ${live.originals.get(name)?.why}`), name);
  });
  fc.assert(property, { numRuns: 4_000 });
  assert.deepEqual(
    [...new Set(TABLE.map(({ kind }) => kind))].filter((kind) => !stored.has(kind)),
    [],
  );
});

test('whatever a field holds, a run with sound ids is stored where runs are mended, or there is a reason', () => {
  const value = fc.oneof(
    fc.constantFrom(...ODD_VALUES).map((json) => parseJson(json)),
    fc.jsonValue(),
    text,
  );
  const property = fc.property(fc.constantFrom(...TABLE), value, ({ name, kind, required }, given) => {
    const record = { ...VALID, [name]: given };
    const issues = explainRun(record, 'repair');
    assert.equal(acceptsRun(record, 'repair'), issues.length === 0, `${name}: ${JSON.stringify(given)}`);
    if (issues.length > 0) {
      assert.ok(reasonAgainst(record, 'repair').startsWith(`${name}: `));
      // These are never a reason; what no document lists is refused for no reason.
      assert.ok(required === true || kind !== 'source', name);
      return;
    }
    const { values } = rowOf(record, NOW);
    const stored = values[FIELD_INDEX[name as FieldName]];
    const { max } = TABLE[FIELD_INDEX[name as FieldName]] ?? {};
    assert.ok(stored !== undefined && !(typeof stored === 'number' && !Number.isSafeInteger(stored)), name);
    if (max !== undefined && typeof stored === 'string') assert.ok(Buffer.byteLength(stored) <= max, name);
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('a number since 1970 is told apart by its size, and what is more likely a date or a count is no time', () => {
  const at = '2025-12-10T12:05:30.000000+00:00';
  for (const given of [1765368330, '1765368330', 1765368330000, ' 1765368330000', 1765368330000000, '1765368330.0'])
    assert.equal(readTime(given), at, String(given));
  for (const given of [0, 5, 2026, 20260110, '20260110', 99_999_999, -1765368330, 1e17, NaN, Infinity, '1'.repeat(50)])
    assert.equal(readTime(given), undefined, String(given));
});

test('reading costs no more than the text is long', () => {
  const shapes = [' ', '0', '+', 'T:', '2026-', '1.0', '+00:00Z', 'e'];
  for (const name of ['start_time', 'items_failed', 'api_posted', 'status', 'git_commit_source'] as const)
    for (const shape of shapes)
      growsLinearly(
        (size) => ({ ...VALID, [name]: shape.repeat(size / shape.length) }),
        (record) => acceptsRun(record, 'repair') && rowOf(record, NOW),
        `${name} of ${shape}`,
      );
});
