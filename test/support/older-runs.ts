/**
 * Runs as earlier services stored them, each with what must become of it: said here, value by value, not computed by the
 * code under test.
 */
import { createHash } from 'node:crypto';

export type Value = string | number | bigint | null | Buffer;

export interface OlderRun {
  id: number;
  /** Column to value, as stored. */
  given: Record<string, Value>;
  /** Column to value, as it must be afterwards. */
  expected: Record<string, Value>;
  /** The fields that no one gave. */
  defaulted: string[];
  /** What the side table must say; the given row is kept there. */
  repairs: string[];
}

/** In the order of their bits. */
export const DEFAULTS: Readonly<Record<string, Value>> = {
  schema_version: 8,
  created_at: '',
  updated_at: '',
  status: 'running',
  items_discovered: 0,
  items_succeeded: 0,
  items_failed: 0,
  items_skipped: 0,
  duration_ms: 0,
  api_posted: 0,
  api_retry_count: 0,
};

export const bitsOf = (names: readonly string[]): number =>
  names.reduce((bits, name) => bits | (1 << Object.keys(DEFAULTS).indexOf(name)), 0);

/** UUIDv5 under the namespace of derived event_ids. */
export function uuidOf(name: string): string {
  const namespace = Buffer.from('8f2cbb6e0c2f5b639d0e6a1f4f7d3c21', 'hex');
  const hex = createHash('sha1').update(namespace).update(name).digest('hex').slice(0, 32);
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`;
}

type Pair = readonly [given: Value, expected: Value];

const two = (value: number): string => String(value).padStart(2, '0');
/** An empty text was never given. */
const same = (value: Value): Pair => [value, value === '' ? null : value];

/** An instant in one of the forms in which it was written, and in the one form it gets. */
function timePair(index: number, hour: number): Pair {
  const day = `2025-${two((index % 12) + 1)}-${two((index % 28) + 1)}`;
  const time = `${two(hour)}:${two(index % 60)}:${two((index * 7) % 60)}`;
  const canonical = (micros: string): string => `${day}T${time}.${micros}+00:00`;
  switch (index % 4) {
    case 0:
      return [`${day} ${time}`, canonical('000000')];
    case 1:
      return [`${day}T${time}.123456+00:00`, canonical('123456')];
    case 2:
      return [`${day}T${time}.5Z`, canonical('500000')];
    default:
      return [`${day}T${two(hour + 2)}${time.slice(2)}+02:00`, canonical('000000')];
  }
}

const STATUS_PAIRS: readonly Pair[] = [
  ['running', 'running'],
  ['success', 'success'],
  ['failed', 'failure'],
  ['partial', 'partial'],
  ['timeout', 'timeout'],
  ['cancelled', 'cancelled'],
];
const METRICS: readonly Pair[] = [
  ['{"pages": 12, "cost": 0.5}', '{"pages":12,"cost":0.5}'],
  ['{ "token": 12345678901234567890 }', '{"token":12345678901234567890}'],
  [null, null],
  ['not json at all', 'not json at all'],
  ['[1, 2]', '[1, 2]'],
];
const REPOS: readonly Pair[] = [
  ['https://user:secret@example.org/o/r.git', 'https://example.org/o/r.git'],
  same('git@example.org:o/r.git'),
  same(null),
];

const pick = (pairs: readonly Pair[], index: number): Pair => pairs[index % pairs.length] as Pair;

/** Every column that an earlier version had, for the run of this number. */
function pairsOf(index: number, failure: string): Record<string, Pair> {
  const status = pick(STATUS_PAIRS, index);
  const running = status[1] === 'running';
  return {
    event_id: same(`event-${index}-é`),
    run_id: same(`20251210-120530-agent-${index}`),
    schema_version: same((index % 6) + 1),
    created_at: timePair(index, 10),
    updated_at: index % 5 === 0 ? [null, null] : timePair(index + 1, 13),
    start_time: timePair(index, 9),
    end_time: running ? [null, null] : timePair(index, 12),
    agent_name: same(`agent-${index % 7}`),
    agent_owner: same('owner'),
    job_type: same(`job ${index % 5}`),
    status: status[0] === 'failed' ? [failure, 'failure'] : status,
    product: same('words'),
    product_family: same('slides'),
    platform: same('net'),
    subdomain: same('docs'),
    website: same(index % 3 === 0 ? 'example.org' : null),
    website_section: same('kb'),
    item_name: same(`item ${index}`),
    items_discovered: same(index % 100),
    items_succeeded: same(index % 50),
    items_failed: [index % 9 === 0 ? null : 1, index % 9 === 0 ? 0 : 1],
    items_skipped: same(2),
    duration_ms: [index % 4 === 0 ? null : index * 1000, index % 4 === 0 ? 0 : index * 1000],
    input_summary: same('in '.repeat(index % 40)),
    output_summary: same('aus: größer ✓ '.repeat(index % 20)),
    source_ref: same('src'),
    target_ref: same('target'),
    error_summary: same(status[1] === 'failure' ? 'it broke' : null),
    error_details: same(null),
    git_repo: pick(REPOS, index),
    git_branch: same('main'),
    git_commit_hash: same(index % 2 === 0 ? 'abcdef1234' : null),
    git_run_tag: same('tag'),
    git_commit_source: same('llm'),
    git_commit_author: same('A <a@example.org>'),
    git_commit_timestamp: same('2025-12-10 12:00:00 +0100'),
    host: same('host-1'),
    environment: same('prod'),
    trigger_type: same('cli'),
    metrics_json: pick(METRICS, index),
    context_json: same('{"a":1}'),
    api_posted: same(index % 2),
    api_posted_at: same(index % 2 === 1 ? '2025-12-10T13:00:00' : null),
    api_retry_count: same(index % 3),
    insight_id: same(index % 11 === 0 ? `insight-${index}` : null),
    parent_run_id: same(index % 13 === 0 ? 'parent' : null),
  };
}

/**
 * A run of the real shape in a table with these columns.
 *
 * @param failure the word for it in that version
 */
export function usualRun(index: number, columns: readonly string[], failure: 'failed' | 'failure'): OlderRun {
  const pairs = pairsOf(index, failure);
  const names = new Set(columns.map((column) => column.toLowerCase()));
  const run: OlderRun = { id: 2 * index + 1, given: {}, expected: {}, defaulted: [], repairs: [] };
  for (const [name, [given, expected]] of Object.entries(pairs)) {
    if (names.has(name)) run.given[name] = given;
    run.expected[name] = names.has(name) ? expected : (DEFAULTS[name] ?? null);
    if (name in DEFAULTS && (run.given[name] ?? null) === null) run.defaulted.push(name);
  }
  if (!names.has('event_id')) run.expected.event_id = uuidOf(`20251210-120530-agent-${index}`);
  // From 9 to 12 o'clock; what is missing follows from the times.
  if (run.defaulted.includes('duration_ms') && (run.given.end_time ?? null) !== null) {
    run.expected.duration_ms = 10_800_000;
  }
  run.expected.updated_at ||= run.expected.end_time ?? (run.expected.created_at as Value);
  return run;
}
