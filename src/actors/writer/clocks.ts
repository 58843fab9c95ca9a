/**
 * Merging: every field of a run is a last-writer-wins register, so that records of it may come in
 * any order, any number of times, and give the same row. Pure.
 */
import { hash } from 'node:crypto';
import { clearDefaulted, COLUMNS, FIELD_INDEX, isGiven, type RowValues, type Status, statusRank } from '../../run.ts';

/** When a record spoke: how final its status is, its own time, then its content's digest; compared in that order. */
export type Clock = readonly [rank: number, time: string, digest: string];

/** The clocks of a changed run: `base` is its creation's, for the fields not named in `fields`. */
export interface Clocks {
  base: Clock;
  fields: Map<string, Clock>;
}

export interface Row {
  values: RowValues;
  defaulted: number;
}

export interface ClockedRow extends Row {
  clocks: Clocks;
}

const { event_id, updated_at, end_time, created_at, start_time, status } = FIELD_INDEX;

export function compareClocks(a: Clock, b: Clock): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  if (a[2] === b[2]) return 0;
  return a[2] < b[2] ? -1 : 1;
}

const rankOf = (values: RowValues): number => statusRank(values[status] as Status);

/** The clock of a whole record; a row that was never changed is its creation's record. */
export function recordClock({ values, defaulted }: Row): Clock {
  const told = [updated_at, end_time, created_at].find((index) => isGiven(values, defaulted, index));
  const given: unknown[] = [];
  for (let index = 0; index < values.length; index++) {
    if (isGiven(values, defaulted, index)) given.push(index, values[index]);
  }
  const digest = hash('sha256', JSON.stringify(given), 'hex').slice(0, 32);
  return [rankOf(values), String(values[told ?? start_time]), digest];
}

/**
 * Brings a record into a run.
 *
 * @param clocks of the run as stored, undefined while it was never changed
 * @returns undefined where the record brings nothing
 */
export function mergeRecord(current: Row, clocks: Clocks | undefined, record: Row): ClockedRow | undefined {
  const clock = recordClock(record);
  const base = clocks?.base ?? recordClock(current);
  const merged: ClockedRow = {
    values: [...current.values],
    defaulted: current.defaulted,
    clocks: { base, fields: new Map(clocks?.fields) },
  };
  let changed = false;
  for (let index = 0; index < record.values.length; index++) {
    if (index === event_id || !isGiven(record.values, record.defaulted, index)) continue;
    const held = clockOf(current, base, clocks, index);
    if (held && compareClocks(clock, held) <= 0) continue;
    set(merged, index, record.values[index] ?? null, clock);
    changed = true;
  }
  return changed ? merged : undefined;
}

/**
 * Sets fields by command. What is named takes effect at once, and wins over all that was said of it
 * before when that comes again: a field's clock never goes back.
 *
 * @param changes new values by field index, `updated_at` among them
 * @param now the canonical time of the command
 */
export function patchRow(
  current: Row,
  clocks: Clocks | undefined,
  changes: ReadonlyMap<number, RowValues[number]>,
  now: string,
): ClockedRow {
  const base = clocks?.base ?? recordClock(current);
  const patched: ClockedRow = {
    values: [...current.values],
    defaulted: current.defaulted,
    clocks: { base, fields: new Map(clocks?.fields) },
  };
  const rank = changes.has(status) ? statusRank(changes.get(status) as Status) : rankOf(current.values);
  const own: Clock = [rank, now, command(0)];
  for (const [index, value] of changes) {
    const held = clockOf(current, base, clocks, index);
    set(patched, index, value, behind(held, own));
  }
  return patched;
}

function clockOf(row: Row, base: Clock, clocks: Clocks | undefined, index: number): Clock | undefined {
  return clocks?.fields.get(COLUMNS[index] as string) ?? (isGiven(row.values, row.defaulted, index) ? base : undefined);
}

function set(row: ClockedRow, index: number, value: RowValues[number], clock: Clock): void {
  row.values[index] = value;
  row.defaulted = clearDefaulted(row.defaulted, index);
  row.clocks.fields.set(COLUMNS[index] as string, clock);
}

// A command's place among clocks of the same rank and time: behind every digest (hex sorts below '~').
const command = (count: number): string => `~${String(count).padStart(12, '0')}`;

/** The command's clock, lifted just behind `held` where it is not. Each field has its own: they compare with nothing else. */
function behind(held: Clock | undefined, own: Clock): Clock {
  if (!held || compareClocks(own, held) > 0) return own;
  const count = held[2].startsWith('~') ? Number(held[2].slice(1)) + 1 : 0;
  return [held[0], later(own, held), command(count)];
}

const later = (a: Clock, b: Clock): string => (a[1] > b[1] ? a[1] : b[1]);

/** `{"c":[clock, …],"f":{"status":1}}`: the clocks in use, the base first, and each field's by its place. */
export function serialiseClocks({ base, fields }: Clocks): string {
  const list: Clock[] = [base];
  const places = new Map([[base.join(), 0]]);
  const byField: Record<string, number> = {};
  for (const [field, clock] of fields) {
    const key = clock.join();
    let place = places.get(key);
    if (place === undefined) {
      place = list.push(clock) - 1;
      places.set(key, place);
    }
    byField[field] = place;
  }
  return JSON.stringify({ c: list, f: byField });
}

export function parseClocks(text: string): Clocks {
  const { c, f } = JSON.parse(text) as { c: Clock[]; f: Record<string, number> };
  const fields = new Map(Object.entries(f).map(([field, place]) => [field, c[place] as Clock]));
  return { base: c[0] as Clock, fields };
}
