/** Records of one command, stored one by one: the only way in for batches and for the spool. */
import { FIELD_INDEX, type FieldName, isJsonObject, type Row, rowOf, type RunRecord, shortId } from '../../run.ts';
import { acceptsRun, type OnInvalid, reasonAgainst } from '../../run/check.ts';
import { labelOf } from '../../run/text.ts';
import { BadItem } from '../body.ts';
import type { RowId, Tally } from '../protocol.ts';
import { type ClockedRow, mergeRecord } from './clocks.ts';
import type { Workplace } from './workplace.ts';
import { eventIdOf, type StoredRow } from './store.ts';

export interface ItemOptions {
  /** Whether a record of a known run goes into it; otherwise it is a duplicate. */
  merge: boolean;
  onInvalid?: OnInvalid;
  maxRunBytes: number;
}

export interface ItemsResult extends Tally {
  errors: string[];
}

/** One bad item never costs the others: what is wrong with it becomes a line of `errors`. */
export function storeItems(items: Iterable<unknown>, options: ItemOptions, at: Workplace): ItemsResult {
  const { merge, onInvalid = 'refuse', maxRunBytes } = options;
  const result: ItemsResult = { inserted: 0, duplicates: 0, merged: 0, errors: [] };
  let index = -1;
  for (const item of items) {
    index++;
    const taken = acceptsRun(item, onInvalid) ? item : merge ? asKnown(item, at) : undefined;
    if (!taken) {
      const why = item instanceof BadItem ? item.reason : reasonAgainst(item, onInvalid);
      result.errors.push(`${nameOf(item, index)}: ${why}`);
      continue;
    }
    const row = rowOf(taken, at.now, at.mended);
    if (sizeOf(row) > maxRunBytes) {
      result.errors.push(`${nameOf(item, index)}: the run is larger than the ${maxRunBytes} bytes taken for one`);
    } else if (insert(row, at)) result.inserted++;
    else if (merge && mergeInto(row, at)) result.merged++;
    else result.duplicates++;
  }
  return result;
}

/** A record whose ids are too long, with the short ones under which its run is known; undefined for any other. */
function asKnown(item: unknown, at: Workplace): RunRecord | undefined {
  if (!isJsonObject(item) || typeof item.event_id !== 'string' || typeof item.run_id !== 'string') return undefined;
  const short = { ...item, event_id: shortId(item.event_id), run_id: shortId(item.run_id) };
  return acceptsRun(short) && at.store.find(short.event_id) ? short : undefined;
}

/** @returns false where the run is known */
export function insert(row: Row, at: Workplace): boolean {
  const id = at.store.insert(row);
  if (id === undefined) return false;
  at.changed(id, undefined, row);
  return true;
}

function mergeInto(record: Row, at: Workplace): boolean {
  const current = at.store.find(eventIdOf(record.values)) as StoredRow;
  const merged = mergeRecord(current, at.store.clocksOf(current.id), record);
  if (!merged) return false;
  at.store.replace(current.id, current, merged);
  if (record.originals) keepShown(current.id, record, merged, at);
  at.changed(current.id, current, merged);
  return true;
}

/** Of what could not be stored as it came, that which the run now shows: the rest has lost to what is newer. */
function keepShown(id: RowId, { values, originals }: Row, merged: ClockedRow, at: Workplace): void {
  const shown = [...(originals ?? [])].filter(([name]) => {
    const index = FIELD_INDEX[name as FieldName];
    return values[index] === null || values[index] === merged.values[index];
  });
  if (shown.length > 0) at.store.keep(id, new Map(shown));
}

/** The row's text, nearly in bytes: what a single run's body is bounded by bounds an item as well. */
function sizeOf({ values, originals }: Row): number {
  let size = 0;
  for (const value of values) if (typeof value === 'string') size += value.length;
  for (const { was } of originals?.values() ?? []) if (typeof was === 'string') size += was.length;
  return size;
}

function nameOf(item: unknown, index: number): string {
  const eventId = item instanceof BadItem ? item.eventId : isJsonObject(item) ? item.event_id : undefined;
  return typeof eventId === 'string' && eventId !== '' ? labelOf(eventId) : `index ${index}`;
}
