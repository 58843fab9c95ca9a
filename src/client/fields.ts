/** What agents say of a run, brought into what the service takes: a run is never lost for one odd value. */
import {
  canonicalStatus,
  canonicalTimestamp,
  type Field,
  type FieldName,
  isCommitSource,
  isJsonObject,
  parsePlainJson,
  TABLE,
  timestampOf,
  withinBound,
  withoutCredentials,
} from '../run.ts';
import { Date } from './clock.ts';
import { type Lost, plain } from './plain.ts';

/** Longest text of one field; the rest is cut off, and said so. */
const MAX_TEXT = 100_000;

/** Fields an agent may give; those the client keeps itself are not among them. */
const OWN = new Set(['schema_version', 'updated_at', 'api_posted', 'api_posted_at', 'api_retry_count']);
const FIELDS: ReadonlyMap<string, Field> = new Map(
  TABLE.filter(({ name }) => !OWN.has(name)).map((field) => [field.name, field]),
);

const WANTED: Readonly<Record<Field['kind'], string>> = {
  id: `text of at most ${MAX_TEXT} characters`,
  reference: `text of at most ${MAX_TEXT} characters`,
  text: 'text',
  remote: 'text',
  source: 'manual, llm or ci',
  count: 'a whole number of 0 or more',
  boolean: 'true or false',
  timestamp: 'ISO 8601, a Date, or milliseconds',
  status: 'success, failure, partial, timeout, cancelled or running',
  json: 'an object, not an array',
};

export type Values = Record<string, unknown>;

export interface Cleaned {
  values: Values;
  /** Why something was left out, one line each. */
  problems: string[];
}

/** The usable values among those given; null and undefined mean: not given. */
export function cleaned(given: unknown, except: ReadonlySet<string> = new Set()): Cleaned {
  const values: Values = {};
  const problems: string[] = [];
  if (given === undefined || given === null) return { values, problems };
  if (typeof given !== 'object') return { values, problems: [`fields must be an object, not ${typeof given}`] };
  for (const name of attempt(() => Object.keys(given)) ?? []) {
    const field = except.has(name) ? undefined : FIELDS.get(name);
    const value = readable(given, name);
    if (value === null || value === undefined) continue;
    const lost: Lost = { numbers: 0 };
    const kept = field && attempt(() => valueOf(field, value, lost));
    if (lost.numbers > 0) problems.push(`NaN or Infinity in ${name} is recorded as null`);
    if (kept !== undefined) values[name] = kept;
    else problems.push(field ? `${name} must be ${WANTED[field.kind]}` : `${name} is not a field to be set here`);
  }
  return { values, problems };
}

/** A member of whatever was given; undefined where a getter or a proxy throws. */
export function readable(given: unknown, name: string): unknown {
  return attempt(() => (given as Values | null | undefined)?.[name]);
}

/** What the agent hands over may throw wherever it is touched. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** A field's value as the service takes it; undefined where there is no sense in it. */
function valueOf({ name, kind }: Field, value: unknown, lost: Lost): unknown {
  switch (kind) {
    case 'id':
    case 'reference':
      return idOf(name as FieldName, value);
    case 'text':
      return textOf(value);
    case 'source':
      return isCommitSource(value) ? value : undefined;
    case 'remote':
      return withoutCredentials(textOf(value) ?? '') || undefined;
    case 'count':
      return countOf(value);
    case 'timestamp':
      return timeOf(value);
    case 'status':
      return typeof value === 'string' ? canonicalStatus(value) : undefined;
    case 'json':
      return jsonOf(value, lost);
    case 'boolean':
      return Boolean(value);
  }
}

/** Text of anything that has one; undefined for what is empty or has none. */
export function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined || typeof value === 'function' || typeof value === 'symbol')
    return undefined;
  const copy = typeof value === 'object' ? plain(value) : value;
  if (copy === null || copy === undefined || copy === '') return undefined;
  const text = typeof copy === 'object' ? JSON.stringify(copy) : `${copy as string | number}`;
  // Cut before anything else is done with it: it may be huge.
  const short = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
  return short.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Text of what is known by it, as the service keeps it: one that is too long has a short form, the same at each mention. */
export function idOf(name: FieldName, value: unknown): string | undefined {
  const text = textOf(value);
  // One that was cut might be another's as well.
  return text === undefined || text.length > MAX_TEXT ? undefined : withinBound(name, text);
}

function countOf(value: unknown): number | undefined {
  const numeric = typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && value !== '');
  const count = numeric ? Math.round(Number(value)) : NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

function timeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return canonicalTimestamp(value);
  const milliseconds = value instanceof Date ? value.getTime() : value;
  const usable = typeof milliseconds === 'number' && Math.abs(milliseconds) < 2.5e14;
  return usable ? canonicalTimestamp(timestampOf(milliseconds)) : undefined;
}

function jsonOf(value: unknown, lost: Lost): unknown {
  let object = value;
  if (typeof value === 'string') {
    try {
      object = parsePlainJson(value);
    } catch {
      return undefined;
    }
  }
  const copy = plain(object, lost);
  return isJsonObject(copy) ? copy : undefined;
}
