/**
 * Merging: every field of a run is a last-writer-wins register, so that records of it may come in
 * any order, any number of times, and give the same row. Pure.
 */
import { hash } from 'node:crypto';
import { FIELD_INDEX, isGiven, type RowValues, type Status, statusRank } from '../../run.ts';
import { behind, type Clock, type Clocks, command, compareClocks, laterOf } from './clocks/clock.ts';
import { type ClockedRow, rankOf, Registers, type Row, TELLS_OUTCOME, withDuration } from './clocks/registers.ts';

export {
  type Cancelled,
  type Clock,
  type Clocks,
  compareClocks,
  parseClocks,
  serialiseClocks,
} from './clocks/clock.ts';
export { type ClockedRow, type Row, withDuration } from './clocks/registers.ts';

const { event_id, updated_at, end_time, created_at, start_time, status } = FIELD_INDEX;

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
  const registers = registersOf(current, clocks);
  const cancels = record.values[status] === 'cancelled';
  let changed = false;
  for (let index = 0; index < record.values.length; index++) {
    if (index === event_id || !isGiven(record.values, record.defaulted, index)) continue;
    const apart = cancels && TELLS_OUTCOME[index] === true;
    const held = apart ? registers.cancelledClockOf(index) : registers.clockOf(index);
    if (held && compareClocks(clock, held) <= 0) continue;
    registers.set(index, record.values[index] ?? null, clock, apart);
    changed = true;
  }
  return changed ? registers.settle() : undefined;
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
  const registers = registersOf(current, clocks);
  const named = changes.get(status) as Status | undefined;
  const own: Clock = [named === undefined ? rankOf(current.values) : statusRank(named), now, command(0)];
  for (const [index, value] of changes) {
    const held = laterOf(registers.clockOf(index), registers.cancelledClockOf(index));
    registers.set(index, value, behind(held, own), named === 'cancelled' && TELLS_OUTCOME[index] === true);
  }
  return registers.settle();
}

function registersOf(current: Row, clocks: Clocks | undefined): Registers {
  const row = withDuration(current);
  return new Registers(row, clocks?.base ?? recordClock(row), clocks);
}
