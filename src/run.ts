/**
 * The run record: one table of its fields. The checks, the column list, the SQL and the tests of
 * the schema all come from it. Pure: no I/O, nothing of the server.
 */
import { MAX_ID, MAX_SHORT_TEXT } from './run/bounds.ts';
import { durationBetween } from './run/duration.ts';
import { type Kind, KINDS, type KindName, type SqlValue } from './run/kinds.ts';
import type { Mended } from './run/mended.ts';
import { mend, type Originals } from './run/originals.ts';

export { shortId } from './run/bounds.ts';
export { durationBetween } from './run/duration.ts';
export { MAX_JSON_DEPTH, parseJson, parsePlainJson, isJsonObject } from './run/json.ts';
export { canonicalStatus, STATUSES, STATUS_NAMES, statusRank, type Status } from './run/status.ts';
export { canonicalTimestamp, timestampOf } from './run/timestamp.ts';
export { commitsUrl, commitUrl, commitUrlAt, repoUrl, withoutCredentials } from './run/urls.ts';
export { COMMIT_SOURCES, isCommitSource, type SqlValue } from './run/kinds.ts';
export type { Originals } from './run/originals.ts';

export interface Field {
  readonly name: string;
  readonly kind: KindName;
  readonly required?: true;
  /** What a new run gets where the record gives nothing; `now` is the time of its arrival. */
  readonly default?: string | number;
  /** PATCH may set it. */
  readonly patch?: true;
  /** Bytes of UTF-8; the kind says what becomes of longer text. */
  readonly max?: number;
}

/** Of the database. */
export const SCHEMA_VERSION = 9;
/** Of a record that does not say. */
const RECORD_VERSION = 8;

/** Every column of agent_runs but the row's `id` and `defaulted`, in the order of the columns. */
export const FIELDS = [
  { name: 'event_id', kind: 'id', max: MAX_ID, required: true },
  { name: 'run_id', kind: 'id', max: MAX_ID, required: true },
  { name: 'schema_version', kind: 'count', default: RECORD_VERSION },
  { name: 'created_at', kind: 'timestamp', default: 'now' },
  { name: 'updated_at', kind: 'timestamp', default: 'now' },
  { name: 'start_time', kind: 'timestamp', required: true },
  { name: 'end_time', kind: 'timestamp', patch: true },
  { name: 'agent_name', kind: 'id', max: MAX_ID, required: true },
  { name: 'agent_owner', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'job_type', kind: 'id', max: MAX_ID, required: true },
  { name: 'status', kind: 'status', default: 'running', patch: true },
  { name: 'product', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'product_family', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'platform', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'subdomain', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'website', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'website_section', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'item_name', kind: 'text' },
  { name: 'items_discovered', kind: 'count', default: 0, patch: true },
  { name: 'items_succeeded', kind: 'count', default: 0, patch: true },
  { name: 'items_failed', kind: 'count', default: 0, patch: true },
  { name: 'items_skipped', kind: 'count', default: 0, patch: true },
  { name: 'duration_ms', kind: 'count', default: 0, patch: true },
  { name: 'input_summary', kind: 'text', patch: true },
  { name: 'output_summary', kind: 'text', patch: true },
  { name: 'source_ref', kind: 'text' },
  { name: 'target_ref', kind: 'text' },
  { name: 'error_summary', kind: 'text', patch: true },
  { name: 'error_details', kind: 'text', patch: true },
  { name: 'git_repo', kind: 'remote', max: MAX_SHORT_TEXT },
  { name: 'git_branch', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'git_commit_hash', kind: 'text', max: MAX_SHORT_TEXT, patch: true },
  { name: 'git_run_tag', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'git_commit_source', kind: 'source', patch: true },
  { name: 'git_commit_author', kind: 'text', max: MAX_SHORT_TEXT, patch: true },
  { name: 'git_commit_timestamp', kind: 'text', max: MAX_SHORT_TEXT, patch: true },
  { name: 'host', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'environment', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'trigger_type', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'metrics_json', kind: 'json', patch: true },
  { name: 'context_json', kind: 'json', patch: true },
  { name: 'api_posted', kind: 'boolean', default: 0 },
  { name: 'api_posted_at', kind: 'text', max: MAX_SHORT_TEXT },
  { name: 'api_retry_count', kind: 'count', default: 0 },
  { name: 'insight_id', kind: 'reference', max: MAX_ID },
  { name: 'parent_run_id', kind: 'reference', max: MAX_ID },
] as const satisfies readonly Field[];

export type FieldName = (typeof FIELDS)[number]['name'];

/** A record that passed the checks of `run/check.ts`; unknown keys may still be on it. */
export type RunRecord = Readonly<Record<string, unknown>>;

/** The values of a row in the order of FIELDS. */
export type RowValues = SqlValue[];

/** Position of a field in FIELDS and so in RowValues. */
export const FIELD_INDEX = Object.fromEntries(FIELDS.map((field, index) => [field.name, index])) as Readonly<
  Record<FieldName, number>
>;

export const TABLE: readonly Field[] = FIELDS;
export const COLUMNS: readonly FieldName[] = FIELDS.map((field) => field.name);
export const PATCH_FIELDS: readonly Field[] = TABLE.filter((field) => field.patch);

type Storer = (value: unknown, mended?: Mended) => SqlValue;
const stores = TABLE.map((field) => KINDS[field.kind].store as Storer);
/** Text no longer than this is within its bound: a unit of its length has three bytes at most. */
const surelyFits = TABLE.map(({ max }) => (max === undefined ? Infinity : Math.floor(max / 3)));
const clearable = TABLE.map(({ kind }) => (KINDS[kind] as Kind).isText === true);

const mayNeedMending = (index: number, value: SqlValue): boolean =>
  value === null || (typeof value === 'string' && value.length > (surelyFits[index] as number));

/** Whether a value in a record is as good as not given. */
export const isNothing = (value: unknown): value is null | undefined | '' =>
  value === null || value === undefined || value === '';

/** Whether an empty text clears the field where it is sent to change it. */
export const isCleared = (index: number, value: unknown): boolean => value === '' && clearable[index] === true;

// The bit of each field that has a default, in the integer column `defaulted`. Stored in databases:
// a field with a default may only ever be added to the end of this order, by its order in FIELDS.
const bits: readonly number[] = (() => {
  let next = 0;
  return TABLE.map((field) => (field.default === undefined ? 0 : 1 << next++));
})();

/** A run as it is stored, but for what only its database knows. */
export interface Row {
  values: RowValues;
  /** A bit for each field that holds a default which nobody gave. */
  defaulted: number;
  /** What could not be stored as it came. */
  originals?: Originals | undefined;
}

/**
 * The row of a checked record: canonical values, defaults filled in, and `defaulted`, whose bits say
 * which fields the record did not give, so that merge never takes a default for something said.
 *
 * @param now the canonical timestamp of the record's arrival
 * @param mended counts what is not stored as it came
 */
export function rowOf(record: RunRecord, now: string, mended?: Mended): Row {
  const values: RowValues = new Array<SqlValue>(TABLE.length);
  let originals: Originals | undefined;
  let defaulted = 0;
  for (let index = 0; index < TABLE.length; index++) {
    const field = TABLE[index] as Field;
    const given = Object.hasOwn(record, field.name) ? record[field.name] : null;
    if (!isNothing(given)) {
      const value = (stores[index] as Storer)(given, mended);
      values[index] = mayNeedMending(index, value)
        ? mend(field, given, value, (originals ??= new Map()), mended)
        : value;
    } else if (field.default === undefined) {
      values[index] = null;
    } else {
      values[index] = field.default === 'now' ? now : field.default;
      defaulted |= bits[index] as number;
    }
  }
  const row: Row = originals?.size ? { values, defaulted, originals } : { values, defaulted };
  // Most runs come without an end, when they begin.
  if (values[END] !== null) row.defaulted = deriveDuration(values, defaulted);
  return row;
}

const { start_time: START, end_time: END, duration_ms: DURATION } = FIELD_INDEX;

/**
 * Puts the duration that follows from a row's times where nobody gave one: null and default are none, nor is a 0 of a run whose
 * end is behind its start.
 *
 * @returns `defaulted` of the row then: what was derived is a default, so that whatever is given later wins
 */
export function deriveDuration(values: RowValues, defaulted: number): number {
  const bit = bits[DURATION] as number;
  if ((defaulted & bit) === 0 && values[DURATION] !== 0) return defaulted;
  const derived = durationBetween(values[START] ?? null, values[END] ?? null);
  values[DURATION] = derived;
  return derived > 0 ? defaulted | bit : defaulted;
}

/** Whether a row's value of a field was given by someone, and is neither null nor a default. */
export function isGiven(values: RowValues, defaulted: number, index: number): boolean {
  return values[index] !== null && (defaulted & (bits[index] as number)) === 0;
}

/** `defaulted` once the field at `index` has been given. */
export function clearDefaulted(defaulted: number, index: number): number {
  return defaulted & ~(bits[index] as number);
}

/** `defaulted` once the field at `index` holds its default, said by nobody. */
export function setDefaulted(defaulted: number, index: number): number {
  return defaulted | (bits[index] as number);
}

/**
 * The stored form of one checked value that is something.
 *
 * @param originals takes what could not be stored as it came
 * @param mended counts it
 */
export function storedValue(index: number, given: unknown, originals?: Originals, mended?: Mended): SqlValue {
  const value = (stores[index] as Storer)(given, mended);
  return mayNeedMending(index, value) ? mend(TABLE[index] as Field, given, value, originals, mended) : value;
}

/** A text as the field stores it, such as the short form of an id that is too long. */
export function withinBound(name: FieldName, text: string): string {
  const { kind, max } = TABLE[FIELD_INDEX[name]] as Field;
  const { shorten }: Kind = KINDS[kind];
  return max === undefined || !shorten ? text : shorten(text, max);
}
