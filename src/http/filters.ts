/** The query string of a list as a checked filter. */
import type { ListFilter, ListTask, Position } from '../actors/protocol.ts';
import { TelemetryError } from '../errors.ts';
import { canonicalStatus, canonicalTimestamp, STATUS_NAMES, withinBound } from '../run.ts';
import { cut } from '../run/text.ts';
import { invalidQuery } from './errors.ts';

const TEXTS = [
  'agent_name',
  'job_type',
  'exclude_job_type',
  'run_id',
  'run_id_contains',
  'parent_run_id',
  'insight_id',
  'product',
  'website',
  'environment',
  'git_commit_hash',
] as const;
const TIMES = ['created_before', 'created_after', 'start_time_from', 'start_time_to'] as const;

/** Every parameter of the list, for the documentation's test. */
export const LIST_PARAMETERS = [...TEXTS, ...TIMES, 'status', 'limit', 'offset', 'cursor'] as const;

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
/** Names of each sort in one answer. */
export const MAX_NAMES = 10_000;

/**
 * @throws TelemetryError "bad_request" for a status or timestamp, "invalid" for limit, offset, cursor
 */
export function readListTask(query: URLSearchParams): ListTask {
  const filter: ListFilter = {};
  for (const name of TEXTS) {
    const value = last(query, name);
    if (value !== undefined) filter[name] = asStored(name, value);
  }
  for (const name of TIMES) {
    const value = last(query, name);
    if (value !== undefined) filter[name] = readTime(name, value);
  }
  const statuses = query.getAll('status').filter(Boolean).map(readStatus);
  if (statuses.length > 0) filter.statuses = [...new Set(statuses)];
  const cursor = last(query, 'cursor');
  return {
    filter,
    limit: readWhole(query, 'limit', DEFAULT_LIMIT, 1, MAX_LIMIT),
    offset: readWhole(query, 'offset', 0, 0, Number.MAX_SAFE_INTEGER),
    ...(cursor !== undefined && { after: readCursor(cursor) }),
  };
}

const FOLLOWED: ReadonlySet<string> = new Set(LIST_PARAMETERS.filter((name) => name !== 'offset' && name !== 'cursor'));
/** Characters; Node takes 16 KiB of headers, the request's first line among them. */
const MAX_ADDRESS = 12_000;

/** The same list from behind `position` on, as a relative reference. */
export function nextPage(path: string, query: URLSearchParams, position: Position): string {
  // What is no parameter of the list is left out: it may be long, and written out it takes three times as much.
  const next = new URLSearchParams([...query].filter(([name]) => FOLLOWED.has(name)));
  // A time that another program has stored is told by the id of its run: only ours can be read back.
  const { created_at, id } = position;
  const time = canonicalTimestamp(created_at) === created_at ? created_at : '';
  next.set('cursor', Buffer.from(`${time}|${id}`).toString('base64url'));
  const address = `${path}?${next.toString()}`;
  if (address.length <= MAX_ADDRESS) return address;
  throw new TelemetryError(
    'bad_request',
    'The filters are too long for the address of the next page. Shorten them, or ask for fewer at once.',
  );
}

/** A text as it would be stored: one that was too long is found by what was sent. */
function asStored(name: (typeof TEXTS)[number], value: string): string {
  if (name === 'run_id_contains') return value;
  return withinBound(name === 'exclude_job_type' ? 'job_type' : name, value);
}

/** The last non-blank value of a parameter. */
function last(query: URLSearchParams, name: string): string | undefined {
  return query.getAll(name).findLast((value) => value !== '');
}

function readStatus(value: string): string {
  const status = canonicalStatus(value);
  if (status !== undefined) return status;
  throw new TelemetryError(
    'bad_request',
    `Invalid status: ${cut(value, 100)}. Must be one of: ${STATUS_NAMES.join(', ')}`,
  );
}

function readTime(name: string, value: string): string {
  const time = canonicalTimestamp(withOffset(value));
  if (time !== undefined) return time;
  throw new TelemetryError(
    'bad_request',
    `Invalid ${name}: ${cut(value, 100)}. Use ISO 8601, such as 2026-01-10T12:00:00Z`,
  );
}

/** An unescaped + of an offset arrives as a space. */
function withOffset(value: string): string {
  const at = value.lastIndexOf(' ');
  const before = value.slice(0, at);
  const isOffset = at > 0 && /^\d\d(?::?\d\d)?$/.test(value.slice(at + 1));
  return isOffset && /[Tt ]/.test(before) && /\d$/.test(before) ? `${before}+${value.slice(at + 1)}` : value;
}

export function readWhole(query: URLSearchParams, name: string, fallback: number, min: number, max: number): number {
  const value = last(query, name);
  if (value === undefined) return fallback;
  if (!/^[+-]?\d+$/.test(value))
    throw invalidQuery(name, 'int_parsing', 'Input should be a whole number', value.slice(0, 100));
  if (Number(value) < min)
    throw invalidQuery(
      name,
      'greater_than_equal',
      `Input should be greater than or equal to ${min}`,
      value.slice(0, 100),
    );
  if (Number(value) > max)
    throw invalidQuery(name, 'less_than_equal', `Input should be less than or equal to ${max}`, value.slice(0, 100));
  return Number(value);
}

function readCursor(cursor: string): Position {
  const [created_at = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  const known = created_at === '' || canonicalTimestamp(created_at) === created_at;
  if (known && isRowId(id)) return { created_at, id: Number.isSafeInteger(Number(id)) ? Number(id) : id };
  throw invalidQuery(
    'cursor',
    'cursor_parsing',
    'Input should be the cursor of a Link header, unchanged',
    cut(cursor, 100),
  );
}

const isRowId = (text: string): boolean =>
  /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
