/**
 * The run record: one table of its fields. The checks, the column list, the SQL and the tests of
 * the schema all come from it. Pure: no I/O, nothing of the server.
 */
import type { Mended } from './run/mended.ts';
import { KINDS, type KindName, type SqlValue } from './run/kinds.ts';

export { MAX_JSON_DEPTH, parseJson, parsePlainJson, isJsonObject } from './run/json.ts';
export { canonicalStatus, STATUSES, STATUS_NAMES, statusRank, type Status } from './run/status.ts';
export { canonicalTimestamp, timestampOf } from './run/timestamp.ts';
export { commitsUrl, commitUrl, commitUrlAt, repoUrl, withoutCredentials } from './run/urls.ts';
export type { SqlValue } from './run/kinds.ts';

export interface Field {
  readonly name: string;
  readonly kind: KindName;
  readonly required?: true;
  /** What a new run gets where the record gives nothing; `now` is the time of its arrival. */
  readonly default?: string | number;
  /** PATCH may set it. */
  readonly patch?: true;
}

/** Of the database. */
export const SCHEMA_VERSION = 9;
/** Of a record that does not say. */
const RECORD_VERSION = 8;

/** Every column of agent_runs but the row's `id` and `defaulted`, in the order of the columns. */
export const FIELDS = [
  { name: 'event_id', kind: 'id', required: true },
  { name: 'run_id', kind: 'id', required: true },
  { name: 'schema_version', kind: 'count', default: RECORD_VERSION },
  { name: 'created_at', kind: 'timestamp', default: 'now' },
  { name: 'updated_at', kind: 'timestamp', default: 'now' },
  { name: 'start_time', kind: 'timestamp', required: true },
  { name: 'end_time', kind: 'timestamp', patch: true },
  { name: 'agent_name', kind: 'id', required: true },
  { name: 'agent_owner', kind: 'text' },
  { name: 'job_type', kind: 'id', required: true },
  { name: 'status', kind: 'status', default: 'running', patch: true },
  { name: 'product', kind: 'text' },
  { name: 'product_family', kind: 'text' },
  { name: 'platform', kind: 'text' },
  { name: 'subdomain', kind: 'text' },
  { name: 'website', kind: 'text' },
  { name: 'website_section', kind: 'text' },
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
  { name: 'git_repo', kind: 'remote' },
  { name: 'git_branch', kind: 'text' },
  { name: 'git_commit_hash', kind: 'text', patch: true },
  { name: 'git_run_tag', kind: 'text' },
  { name: 'git_commit_source', kind: 'text', patch: true },
  { name: 'git_commit_author', kind: 'text', patch: true },
  { name: 'git_commit_timestamp', kind: 'text', patch: true },
  { name: 'host', kind: 'text' },
  { name: 'environment', kind: 'text' },
  { name: 'trigger_type', kind: 'text' },
  { name: 'metrics_json', kind: 'json', patch: true },
  { name: 'context_json', kind: 'json', patch: true },
  { name: 'api_posted', kind: 'boolean', default: 0 },
  { name: 'api_posted_at', kind: 'text' },
  { name: 'api_retry_count', kind: 'count', default: 0 },
  { name: 'insight_id', kind: 'text' },
  { name: 'parent_run_id', kind: 'text' },
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

// The bit of each field that has a default, in the integer column `defaulted`. Stored in databases:
// a field with a default may only ever be added to the end of this order, by its order in FIELDS.
const bits: readonly number[] = (() => {
  let next = 0;
  return TABLE.map((field) => (field.default === undefined ? 0 : 1 << next++));
})();

/**
 * The row of a checked record: canonical values, defaults filled in, and `defaulted`, whose bits say
 * which fields the record did not give, so that merge never takes a default for something said.
 *
 * @param now the canonical timestamp of the record's arrival
 * @param mended counts what is not stored as it came
 */
export function rowOf(record: RunRecord, now: string, mended?: Mended): { values: RowValues; defaulted: number } {
  const values: RowValues = new Array<SqlValue>(TABLE.length);
  let defaulted = 0;
  for (let index = 0; index < TABLE.length; index++) {
    const field = TABLE[index] as Field;
    const given = Object.hasOwn(record, field.name) ? record[field.name] : null;
    if (given !== null && given !== undefined) {
      values[index] = (stores[index] as Storer)(given, mended);
    } else if (field.default === undefined) {
      values[index] = null;
    } else {
      values[index] = field.default === 'now' ? now : field.default;
      defaulted |= bits[index] as number;
    }
  }
  return { values, defaulted };
}

/** Whether a row's value of a field was given by someone, and is neither null nor a default. */
export function isGiven(values: RowValues, defaulted: number, index: number): boolean {
  return values[index] !== null && (defaulted & (bits[index] as number)) === 0;
}

/** `defaulted` once the field at `index` has been given. */
export function clearDefaulted(defaulted: number, index: number): number {
  return defaulted & ~(bits[index] as number);
}

/** The stored form of one checked, non-null value. */
export function storedValue(index: number, value: unknown, mended?: Mended): SqlValue {
  return (stores[index] as Storer)(value, mended);
}
