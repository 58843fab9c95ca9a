/** Records of one command, stored one by one: the only way in for batches and for the spool. */
import { isJsonObject, rowOf } from '../../run.ts';
import { acceptsRun, reasonAgainst } from '../../run/check.ts';
import { labelOf } from '../../run/text.ts';
import { BadItem } from '../body.ts';
import type { Tally } from '../protocol.ts';
import { mergeRecord, type Row } from './clocks.ts';
import type { Workplace } from './workplace.ts';
import { eventIdOf, type StoredRow } from './store.ts';

export interface ItemOptions {
  /** Whether a record of a known run goes into it; otherwise it is a duplicate. */
  merge: boolean;
  maxRunBytes: number;
}

export interface ItemsResult extends Tally {
  errors: string[];
}

/** One bad item never costs the others: what is wrong with it becomes a line of `errors`. */
export function storeItems(items: Iterable<unknown>, { merge, maxRunBytes }: ItemOptions, at: Workplace): ItemsResult {
  const result: ItemsResult = { inserted: 0, duplicates: 0, merged: 0, errors: [] };
  let index = -1;
  for (const item of items) {
    index++;
    if (!acceptsRun(item)) {
      const why = item instanceof BadItem ? item.reason : reasonAgainst(item);
      result.errors.push(`${nameOf(item, index)}: ${why}`);
      continue;
    }
    const row = rowOf(item, at.now, at.mended);
    if (sizeOf(row) > maxRunBytes) {
      result.errors.push(`${nameOf(item, index)}: the run is larger than the ${maxRunBytes} bytes taken for one`);
    } else if (insert(row, at)) result.inserted++;
    else if (merge && mergeInto(row, at)) result.merged++;
    else result.duplicates++;
  }
  return result;
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
  at.changed(current.id, current, merged);
  return true;
}

/** The row's text, nearly in bytes: what a single run's body is bounded by bounds an item as well. */
function sizeOf({ values }: Row): number {
  let size = 0;
  for (const value of values) if (typeof value === 'string') size += value.length;
  return size;
}

function nameOf(item: unknown, index: number): string {
  const eventId = item instanceof BadItem ? item.eventId : isJsonObject(item) ? item.event_id : undefined;
  return typeof eventId === 'string' && eventId !== '' ? labelOf(eventId) : `index ${index}`;
}
