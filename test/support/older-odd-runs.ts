/** Runs that no schema would have let in, with what must become of each: the nearest sane values, and what is said of it. */
import { createHash } from 'node:crypto';
import { DEFAULTS, type OlderRun, uuidOf, type Value } from './older-runs.ts';

type Fields = Record<string, Value>;

const START = '2025-12-10T12:05:30.000000+00:00';
const END = '2025-12-10T12:06:30.000000+00:00';
/** From one to the other, where no duration was given. */
const MINUTE = { duration_ms: 60_000 };

/** A run about which nothing is odd. */
const plain: Fields = {
  event_id: 'e',
  run_id: 'r',
  created_at: START,
  updated_at: START,
  start_time: START,
  agent_name: 'a',
  job_type: 'j',
  status: 'running',
};

interface Odd {
  given: Fields;
  /** What differs from the given, and from the defaults. */
  becomes?: Fields;
  /** Fields given that nothing could be read of. */
  unread?: string[];
  repairs?: string[];
}

/** The short form of an id of plain letters. */
const shortOf = (id: string): string => `${id.slice(0, 440)}-sha256-${createHash('sha256').update(id).digest('hex')}`;

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const missing = (...names: string[]): string[] => names.map((name) => `${name}: missing`);
const NO_TIME = 'not a time';
const EPOCH = '1970-01-01T00:00:00.000000+00:00';

export const ODD_RUNS: readonly Odd[] = [
  // Status
  { given: { status: ' FAILED ' }, becomes: { status: 'failure' } },
  { given: { status: 'Completed' }, becomes: { status: 'success' } },
  {
    given: { status: 'done', end_time: END },
    becomes: { status: 'success', ...MINUTE },
    repairs: ['status: not a status'],
  },
  {
    given: { status: 'done', end_time: END, error_summary: 'it broke' },
    becomes: { status: 'failure', ...MINUTE },
    repairs: ['status: not a status'],
  },
  { given: { status: 'done' }, becomes: { status: 'running' }, unread: ['status'], repairs: ['status: not a status'] },
  { given: { status: null, end_time: END }, becomes: { status: 'success', ...MINUTE }, repairs: missing('status') },
  { given: { status: 7n }, becomes: { status: 'running' }, unread: ['status'], repairs: ['status: not a status'] },
  // Counts
  {
    given: { items_failed: -1n },
    becomes: { items_failed: 0 },
    unread: ['items_failed'],
    repairs: ['items_failed: negative'],
  },
  {
    given: { items_failed: 2.9 },
    becomes: { items_failed: 2 },
    repairs: ['items_failed: not a whole number, rounded down'],
  },
  { given: { items_failed: '12' }, becomes: { items_failed: 12 } },
  {
    given: { items_failed: 'many' },
    becomes: { items_failed: 0 },
    unread: ['items_failed'],
    repairs: ['items_failed: not a number'],
  },
  { given: { items_failed: '' }, becomes: { items_failed: 0 }, unread: ['items_failed'] },
  {
    given: { duration_ms: 2n ** 60n },
    becomes: { duration_ms: Number.MAX_SAFE_INTEGER },
    repairs: ['duration_ms: over 2^53 - 1'],
  },
  {
    given: { duration_ms: Infinity },
    becomes: { duration_ms: Number.MAX_SAFE_INTEGER },
    repairs: ['duration_ms: over 2^53 - 1'],
  },
  { given: { duration_ms: 0n, end_time: END }, becomes: MINUTE, unread: ['duration_ms'] },
  {
    given: { duration_ms: 'long', end_time: END },
    becomes: MINUTE,
    unread: ['duration_ms'],
    repairs: ['duration_ms: not a number'],
  },
  { given: { duration_ms: 7n, end_time: END } },
  { given: { duration_ms: 0n, start_time: END, end_time: START } },
  { given: { api_retry_count: bytes(0x33) }, becomes: { api_retry_count: 3 } },
  { given: { api_posted: 5n }, becomes: { api_posted: 1 }, repairs: ['api_posted: neither 0 nor 1, taken for 1'] },
  { given: { api_posted: 'True' }, becomes: { api_posted: 1 } },
  {
    given: { api_posted: 'maybe' },
    becomes: { api_posted: 0 },
    unread: ['api_posted'],
    repairs: ['api_posted: neither yes nor no'],
  },
  { given: { schema_version: '6' }, becomes: { schema_version: 6 } },
  { given: { schema_version: 3n }, becomes: { schema_version: 3 } },
  {
    given: { schema_version: 'six' },
    becomes: { schema_version: 8 },
    unread: ['schema_version'],
    repairs: ['schema_version: not a number'],
  },
  // Times
  { given: { created_at: '2025-12-10 12:05:30' }, becomes: { created_at: START } },
  { given: { created_at: ' 20251210T130530+01 ' }, becomes: { created_at: START } },
  {
    given: { created_at: '2025-12-10T12:05:30+00:00Z' },
    becomes: { created_at: START },
    repairs: ['created_at: two offsets, of which the first was taken'],
  },
  {
    given: { created_at: 1765368330n },
    becomes: { created_at: START },
    repairs: ['created_at: a number, taken for seconds since 1970'],
  },
  {
    given: { created_at: '1765368330000' },
    becomes: { created_at: START },
    repairs: ['created_at: a number, taken for milliseconds since 1970'],
  },
  {
    given: { created_at: 1765368330000250n },
    becomes: { created_at: '2025-12-10T12:05:30.000250+00:00' },
    repairs: ['created_at: a number, taken for microseconds since 1970'],
  },
  {
    given: { created_at: 1765368330.25 },
    becomes: { created_at: '2025-12-10T12:05:30.250000+00:00' },
    repairs: ['created_at: a number, taken for seconds since 1970'],
  },
  {
    given: { created_at: 'yesterday' },
    becomes: { created_at: START },
    unread: ['created_at'],
    repairs: [`created_at: ${NO_TIME}`],
  },
  {
    given: { start_time: '2025-02-30T00:00:00', created_at: END },
    becomes: { start_time: END },
    repairs: [`start_time: ${NO_TIME}`],
  },
  {
    given: { start_time: null, created_at: null, updated_at: END },
    becomes: { start_time: END, created_at: END },
    unread: ['created_at'],
    repairs: missing('start_time'),
  },
  {
    given: { start_time: '', created_at: null, updated_at: null },
    becomes: { start_time: EPOCH, created_at: EPOCH, updated_at: EPOCH },
    unread: ['created_at', 'updated_at'],
    repairs: missing('start_time'),
  },
  { given: { updated_at: null, end_time: END }, becomes: { updated_at: END, ...MINUTE }, unread: ['updated_at'] },
  { given: { updated_at: null }, becomes: { updated_at: START }, unread: ['updated_at'] },
  { given: { end_time: 'soon' }, becomes: { end_time: null }, repairs: [`end_time: ${NO_TIME}`] },
  { given: { end_time: 1e30 }, becomes: { end_time: null }, repairs: [`end_time: ${NO_TIME}`] },
  // Names
  { given: { job_type: null }, becomes: { job_type: 'unknown' }, repairs: missing('job_type') },
  { given: { agent_name: '' }, becomes: { agent_name: 'unknown' }, repairs: missing('agent_name') },
  { given: { agent_name: 42n }, becomes: { agent_name: '42' } },
  { given: { agent_name: 4.5 }, becomes: { agent_name: '4.5' } },
  { given: { agent_name: Buffer.from('größer') }, becomes: { agent_name: 'größer' } },
  {
    given: { agent_name: bytes(0x61, 0xff) },
    becomes: { agent_name: 'a\uFFFD' },
    repairs: ['agent_name: bytes that are not UTF-8'],
  },
  {
    given: { host: 'a\0b' },
    becomes: { host: 'a\uFFFDb' },
    repairs: ['host: characters that cannot be stored, replaced by U+FFFD'],
  },
  { given: { host: '\uFFFD' } },
  { given: { source_ref: '' }, becomes: { source_ref: null } },
  { given: { metrics_json: '' }, becomes: { metrics_json: null } },
  { given: { items_failed: '5.0' }, becomes: { items_failed: 5 } },
  {
    given: { git_commit_source: 'github' },
    becomes: { git_commit_source: null },
    repairs: ['git_commit_source: neither manual, llm nor ci'],
  },
  {
    given: { created_at: 20251210n },
    becomes: { created_at: START },
    unread: ['created_at'],
    repairs: [`created_at: ${NO_TIME}`],
  },
  // Bounds
  {
    given: { website: 'ü'.repeat(1_025) },
    becomes: { website: `${'ü'.repeat(1_022)}…` },
    repairs: ['website: over 2048 bytes, cut'],
  },
  {
    given: { agent_name: 'a'.repeat(513) },
    becomes: { agent_name: shortOf('a'.repeat(513)) },
    repairs: ['agent_name: over 512 bytes, shortened'],
  },
  {
    given: { parent_run_id: 'p'.repeat(600) },
    becomes: { parent_run_id: shortOf('p'.repeat(600)) },
    repairs: ['parent_run_id: over 512 bytes, shortened'],
  },
  { given: { error_details: 'x'.repeat(5_000), website: 'x'.repeat(2_048) } },
  // JSON
  {
    given: { metrics_json: '{"n": 123456789012345678901, "m": [1.50]}' },
    becomes: { metrics_json: '{"n":123456789012345678901,"m":[1.5]}' },
  },
  {
    given: { metrics_json: '{"x": NaN}' },
    becomes: { metrics_json: '{"x":null}' },
    repairs: ['metrics_json: NaN or Infinity, taken for null'],
  },
  {
    given: { context_json: String.raw`{"o":"cut \ud83d"}` },
    becomes: { context_json: '{"o":"cut \uFFFD"}' },
    repairs: ['context_json: characters that cannot be stored, replaced by U+FFFD'],
  },
  { given: { metrics_json: '"text"' } },
  { given: { metrics_json: 17n }, becomes: { metrics_json: '17' } },
  { given: { context_json: Buffer.from('{ "a": 1 }') }, becomes: { context_json: '{"a":1}' } },
  { given: { git_repo: 'https://user:secret@example.org/r' }, becomes: { git_repo: 'https://example.org/r' } },
  // Columns of their own
  { given: { note: 'mine' }, repairs: ['note: not a column any more'] },
  { given: { note: null } },
];

/** The odd runs, under ids and event_ids of their own. */
export function oddRuns(): OlderRun[] {
  return ODD_RUNS.map(({ given, becomes = {}, unread = [], repairs = [] }, index) => {
    const id = index + 1;
    const named = { ...plain, ...given, event_id: `e${id}`, run_id: `r${id}` };
    const own = Object.fromEntries(Object.entries(named).filter(([name]) => name !== 'note'));
    const absent = Object.keys(DEFAULTS).filter((name) => !(name in own));
    const defaults = Object.fromEntries(absent.map((name) => [name, DEFAULTS[name] ?? null]));
    const defaulted = [...absent, ...unread];
    return { id, given: named, expected: { ...defaults, ...own, ...becomes }, defaulted, repairs };
  });
}

const taken = 'event_id: taken by another run, derived from the run_id';

/** Runs whose ids are missing, repeat or are in each other's way; behind the odd ones. */
export function contendingRuns(): OlderRun[] {
  const cases: { given: Fields; event: string; run?: string; repairs?: string[] }[] = [
    { given: { event_id: null, run_id: 'twice' }, event: uuidOf('twice') },
    { given: { event_id: null, run_id: 'twice' }, event: uuidOf('twice#1002') },
    { given: { event_id: '', run_id: 'twice' }, event: uuidOf('twice#1003') },
    { given: { event_id: 'mine', run_id: 'p' }, event: 'mine' },
    { given: { event_id: 'mine', run_id: 'q' }, event: uuidOf('q#1005'), repairs: [taken] },
    { given: { event_id: uuidOf('s#1007'), run_id: 's' }, event: uuidOf('s#1007') },
    { given: { event_id: 'mine', run_id: 's' }, event: uuidOf('s#1007#1'), repairs: [taken] },
    { given: { event_id: 'only', run_id: null }, event: 'only', run: 'only', repairs: missing('run_id') },
    {
      given: { event_id: null, run_id: '' },
      event: uuidOf('unknown-1009'),
      run: 'unknown-1009',
      repairs: missing('run_id'),
    },
    { given: { event_id: 77n, run_id: 88n }, event: '77', run: '88' },
  ];
  const absent = Object.keys(DEFAULTS).filter((name) => !(name in plain));
  const defaults = Object.fromEntries(absent.map((name) => [name, DEFAULTS[name] ?? null]));
  return cases.map(({ given, event, run, repairs = [] }, index) => {
    const ids = { event_id: event, run_id: run ?? String(given.run_id) };
    const expected = { ...defaults, ...plain, ...ids };
    return { id: 1001 + index, given: { ...plain, ...given }, expected, defaulted: absent, repairs };
  });
}
