import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clearDefaulted,
  COLUMNS,
  FIELD_INDEX,
  isGiven,
  rowOf,
  storedValue,
  TABLE,
  type FieldName,
} from '../../src/run.ts';

const NOW = '2026-01-10T12:00:00.000000+00:00';
const REQUIRED = { event_id: 'e', run_id: 'r', agent_name: 'a', job_type: 'j', start_time: '2026-01-10T10:00:00Z' };
const DEFAULTS: Readonly<Record<string, string | number>> = {
  schema_version: 8,
  created_at: NOW,
  updated_at: NOW,
  status: 'running',
  items_discovered: 0,
  items_succeeded: 0,
  items_failed: 0,
  items_skipped: 0,
  duration_ms: 0,
  api_posted: 0,
  api_retry_count: 0,
};

const valueOf = (record: Record<string, unknown>, name: FieldName): unknown =>
  rowOf({ ...REQUIRED, ...record }, NOW).values[FIELD_INDEX[name]];

test('a record with only its required fields gets the defaults, and null elsewhere', () => {
  const { values } = rowOf(REQUIRED, NOW);
  const expected = { ...DEFAULTS, ...REQUIRED, start_time: '2026-01-10T10:00:00.000000+00:00' } as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    values,
    COLUMNS.map((name) => expected[name] ?? null),
  );
});

test('each default not given has a bit of its own, and null counts as not given', () => {
  const { values, defaulted } = rowOf(REQUIRED, NOW);
  const names = Object.keys(DEFAULTS) as FieldName[];
  const none = names.reduce((bits, name) => clearDefaulted(bits, FIELD_INDEX[name]), defaulted);
  assert.equal(none, 0, 'only the defaults have bits');
  for (const name of names) {
    const index = FIELD_INDEX[name];
    const given = rowOf({ ...REQUIRED, [name]: DEFAULTS[name] }, NOW);
    assert.equal(given.defaulted, clearDefaulted(defaulted, index), name);
    assert.notEqual(given.defaulted, defaulted, name);
    assert.deepEqual(given.values, values, `${name}: the default said aloud gives the same values`);
    assert.equal(isGiven(given.values, given.defaulted, index), true, name);
    assert.equal(isGiven(values, defaulted, index), false, name);
    assert.equal(rowOf({ ...REQUIRED, [name]: null }, NOW).defaulted, defaulted, name);
  }
});

test('the bits are those that databases already hold', () => {
  const bits = TABLE.filter(({ default: fallback }) => fallback !== undefined).map(({ name }) => name);
  assert.deepEqual(bits, Object.keys(DEFAULTS));
  const bitOf = (name: string): number => rowOf({ ...REQUIRED, ...DEFAULTS, [name]: null }, NOW).defaulted;
  assert.deepEqual(
    bits.map(bitOf),
    bits.map((_name, place) => 1 << place),
  );
});

test('a field without a default is given where it is neither null nor empty', () => {
  const { values, defaulted } = rowOf({ ...REQUIRED, host: ' ', product: null, platform: '' }, NOW);
  assert.equal(isGiven(values, defaulted, FIELD_INDEX.host), true);
  assert.equal(isGiven(values, defaulted, FIELD_INDEX.platform), false);
  assert.equal(isGiven(values, defaulted, FIELD_INDEX.product), false);
  assert.equal(isGiven(values, defaulted, FIELD_INDEX.run_id), true);
});

test('values are stored in their canonical form', () => {
  assert.equal(valueOf({ status: 'failed' }, 'status'), 'failure');
  assert.equal(valueOf({ end_time: '2026-01-10T12:00:00+01:00' }, 'end_time'), '2026-01-10T11:00:00.000000+00:00');
  assert.equal(valueOf({ created_at: '2026-01-09' }, 'created_at'), '2026-01-09T00:00:00.000000+00:00');
  assert.equal(valueOf({ duration_ms: '0042' }, 'duration_ms'), 42);
  assert.ok(Object.is(valueOf({ items_failed: -0 }, 'items_failed'), 0), 'not minus zero');
  assert.equal(valueOf({ items_failed: '9007199254740991' }, 'items_failed'), Number.MAX_SAFE_INTEGER);
  for (const [given, stored] of [
    [true, 1],
    [false, 0],
    ['1', 1],
    ['true', 1],
    ['false', 0],
    [0, 0],
  ] as const)
    assert.equal(valueOf({ api_posted: given }, 'api_posted'), stored);
});

test('a NUL or lone surrogate in a text becomes U+FFFD, and identifiers are left alone', () => {
  assert.equal(valueOf({ error_summary: 'a\0b\ud800c😀' }, 'error_summary'), 'a\uFFFDb\uFFFDc😀');
  assert.equal(valueOf({ git_repo: 'git@h:o/r\0' }, 'git_repo'), 'git@h:o/r\uFFFD');
  assert.equal(valueOf({ agent_name: ' Ä ' }, 'agent_name'), ' Ä ');
});

test('times that nobody reads as times are stored as sent', () => {
  assert.equal(valueOf({ git_commit_timestamp: 'Sat Jan 10 2026' }, 'git_commit_timestamp'), 'Sat Jan 10 2026');
  assert.equal(valueOf({ api_posted_at: 'soon' }, 'api_posted_at'), 'soon');
});

test('only own properties of a record count', () => {
  const inherited = Object.create({ host: 'inherited' }) as Record<string, unknown>;
  assert.equal(rowOf(Object.assign(inherited, REQUIRED), NOW).values[FIELD_INDEX.host], null);
});

test('one value alone is stored as it is within a record', () => {
  assert.equal(storedValue(FIELD_INDEX.status, 'completed'), 'success');
  assert.equal(storedValue(FIELD_INDEX.items_failed, '7'), 7);
});
