/**
 * A row of an older database as a row of this version. Whatever its columns and whatever is in them: every row becomes one
 * that the schema accepts, and what was lost or guessed on the way is said. Pure.
 */
import {
  deriveDuration,
  type Field,
  FIELD_INDEX,
  type FieldName,
  type RowValues,
  setDefaulted,
  type SqlValue,
  TABLE,
  withinBound,
} from '../run.ts';
import { fits } from './bounds.ts';
import { derivedEventId, type Sha1 } from './older/event-id.ts';
import { completeTimes, timeOf } from './older/times.ts';
import { overBound } from './originals.ts';
import { type Note, type OlderValue, type Reader, READERS } from './older/values.ts';

export { derivedEventId, type Sha1 } from './older/event-id.ts';
export { originalOf } from './older/original.ts';
export type { OlderValue } from './older/values.ts';

export interface ConvertedRow {
  values: RowValues;
  defaulted: number;
  /** What was lost or guessed, each as `column: what was wrong`; never with the value. */
  repairs: string[];
  /** The event_id is the older row's own, not derived. */
  eventIdGiven: boolean;
}

/** @param row values in the order of the converter's columns. @param id the new row's */
export type Converter = (row: readonly OlderValue[], id: number) => ConvertedRow;

const at = FIELD_INDEX;
const BOUNDED = TABLE.flatMap(({ name, kind, max }, index) =>
  max === undefined ? [] : [[index, name as FieldName, kind, max] as const],
);
const time: Reader = (value, note) => timeOf(value, note) ?? null;
const readersOf = (whole: boolean): Reader[] =>
  TABLE.map(({ kind }) => {
    if (kind === 'timestamp') return time;
    // The service says what is no source, and keeps it.
    return whole && kind === 'source' ? READERS.text : READERS[kind];
  });

/**
 * How rows with these columns become rows of this version.
 *
 * @param columns names as the older table has them: in any order, more of them or fewer than ours
 * @param whole text over its bound stays whole, for the service that it is sent to, which keeps what it cuts
 */
export function converterOf(columns: readonly string[], sha1: Sha1, whole = false): Converter {
  const readers = readersOf(whole);
  const places = new Map(columns.map((column, place) => [column.toLowerCase(), place]));
  const sources = TABLE.map(({ name }) => places.get(name) ?? -1);
  const fields = new Set(TABLE.map(({ name }) => name));
  const extras = [...places].filter(([name]) => !fields.has(name));
  let repairs: string[] = [];
  // One a field, for all rows: a row has some thirty values.
  const notes: Note[] = TABLE.map(
    ({ name }) =>
      (what) =>
        repairs.push(`${name}: ${what}`),
  );
  return (row, id) => {
    repairs = [];
    const values: RowValues = new Array<SqlValue>(TABLE.length);
    for (let index = 0; index < values.length; index++) {
      const value = row[sources[index] as number] ?? null;
      values[index] = value === null ? null : (readers[index] as Reader)(value, notes[index] as Note);
    }
    const raw = (name: FieldName): OlderValue => row[sources[at[name]] as number] ?? null;
    const converted: ConvertedRow = { values, defaulted: 0, repairs, eventIdGiven: values[at.event_id] !== null };
    settleStatus(converted, raw('status'), raw('end_time'));
    settleTimes(converted, raw('start_time'));
    settleIds(converted, id, sha1);
    settleRest(converted);
    if (!whole) settleBounds(converted);
    converted.defaulted = deriveDuration(values, converted.defaulted);
    for (const [name, place] of extras) {
      const value = row[place] ?? null;
      // A table that was copied by hand may have its ids in a plain column.
      if (value !== null && !(name === 'id' && value === BigInt(id))) repairs.push(`${name}: not a column any more`);
    }
    return converted;
  };
}

/** Takes a field's default: nobody gave what can be read. */
function takeDefault(converted: ConvertedRow, index: number, value: SqlValue): void {
  converted.values[index] = value;
  converted.defaulted = setDefaulted(converted.defaulted, index);
}

const isBlank = (value: OlderValue): boolean => value === null || value === '';

function settleStatus(converted: ConvertedRow, given: OlderValue, end: OlderValue): void {
  const { values, repairs } = converted;
  if (values[at.status] !== null) return;
  if (!isBlank(given)) repairs.push('status: not a status');
  if (isBlank(end)) return takeDefault(converted, at.status, 'running');
  if (isBlank(given)) repairs.push('status: missing');
  values[at.status] = isBlank(values[at.error_summary] ?? null) ? 'success' : 'failure';
}

function settleTimes(converted: ConvertedRow, givenStart: OlderValue): void {
  const { values, repairs } = converted;
  const known = (index: number): string | undefined => (values[index] as string | null) ?? undefined;
  const [created, updated, start] = [known(at.created_at), known(at.updated_at), known(at.start_time)];
  if (created !== undefined && updated !== undefined && start !== undefined) return;
  const complete = completeTimes({ created, updated, start, end: known(at.end_time) });
  if (created === undefined) takeDefault(converted, at.created_at, complete.created);
  if (updated === undefined) takeDefault(converted, at.updated_at, complete.updated);
  values[at.start_time] = complete.start;
  if (start === undefined && isBlank(givenStart)) repairs.push('start_time: missing');
}

function settleIds({ values, repairs }: ConvertedRow, id: number, sha1: Sha1): void {
  if (values[at.run_id] === null) {
    repairs.push('run_id: missing');
    values[at.run_id] = values[at.event_id] ?? `unknown-${id}`;
  }
  values[at.event_id] ??= derivedEventId(sha1, String(values[at.run_id]));
}

/** The last, for what is derived from an id is derived from the whole of it. */
function settleBounds({ values, repairs }: ConvertedRow): void {
  for (const [index, name, kind, max] of BOUNDED) {
    const value = values[index];
    if (typeof value !== 'string' || fits(value, max)) continue;
    values[index] = withinBound(name, value);
    repairs.push(`${name}: ${overBound(kind, max)}`);
  }
}

function settleRest(converted: ConvertedRow): void {
  const { values, repairs } = converted;
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== null) continue;
    const field = TABLE[index] as Field;
    if (field.default !== undefined) takeDefault(converted, index, field.default);
    if (!field.required) continue;
    values[index] = 'unknown';
    repairs.push(`${field.name}: missing`);
  }
}
