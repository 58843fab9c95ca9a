/**
 * The registers of a run while something is brought into them. Each field has one; what tells of the run's outcome has a second,
 * for what came with a `cancelled`: whoever cleans up only guesses, so nothing of that shows once the run has completed. Pure.
 */
import {
  clearDefaulted,
  COLUMNS,
  deriveDuration,
  FIELD_INDEX,
  type FieldName,
  isGiven,
  type Row,
  type RowValues,
  setDefaulted,
  type SqlValue,
  type Status,
  statusRank,
  TABLE,
} from '../../../run.ts';
import { type Cancelled, type Clock, type Clocks, compareClocks, isCommand } from './clock.ts';

export type { Row };

export interface ClockedRow extends Row {
  clocks: Clocks;
}

const { status, duration_ms } = FIELD_INDEX;
const COMPLETED = 2;
const CANCELLED = 1;

/** What tells of a run's outcome, by its place. Who associates a commit does not say how the run ended. */
export const TELLS_OUTCOME: readonly boolean[] = TABLE.map(
  ({ name, patch }) => patch === true && name !== 'status' && !name.startsWith('git_commit_'),
);

const nameOf = (index: number): string => COLUMNS[index] as string;

export const rankOf = (values: RowValues): number => statusRank(values[status] as Status);

/** The row with the duration that follows from its times, which a release before this did not store. */
export function withDuration({ values, defaulted }: Row): Row {
  const copy = [...values];
  return { values: copy, defaulted: copy[duration_ms] === 0 ? deriveDuration(copy, defaulted) : defaulted };
}

export class Registers {
  readonly #row: Row;
  readonly #base: Clock;
  readonly #fields: Map<string, Clock>;
  readonly #cancelled: Map<string, Cancelled>;

  /** @param row is changed. @param base the clock of the run's creation. @param clocks undefined while it was never changed */
  constructor(row: Row, base: Clock, clocks: Clocks | undefined) {
    this.#row = row;
    this.#base = base;
    this.#fields = new Map(clocks?.fields);
    this.#cancelled = new Map(clocks?.cancelled);
    const untold = clocks ? !clocks.cancelled : base[0] === CANCELLED;
    if (untold) this.#tellCancelled();
  }

  /** When the field was said, apart from what came with a `cancelled`; undefined where it was not. */
  clockOf(index: number): Clock | undefined {
    const clock = this.#fields.get(nameOf(index));
    if (clock || (this.#cancelled.size > 0 && this.#cancelled.get(nameOf(index))?.shown)) return clock;
    return isGiven(this.#row.values, this.#row.defaulted, index) ? this.#base : undefined;
  }

  /** When it was said together with a `cancelled`. */
  cancelledClockOf(index: number): Clock | undefined {
    return this.#cancelled.size > 0 ? this.#cancelled.get(nameOf(index))?.clock : undefined;
  }

  /** @param cancels it came with a `cancelled` */
  set(index: number, value: SqlValue, clock: Clock, cancels: boolean): void {
    const name = nameOf(index);
    const held = this.#cancelled.get(name);
    const shown = held?.shown ?? false;
    if (!cancels) this.#fields.set(name, clock);
    else if (!held) this.#writeDown(index);
    if (cancels === shown) this.#show(index, value);
    if (!cancels && !shown) return;
    const hidden = cancels === shown ? (held?.hidden ?? null) : value;
    this.#cancelled.set(name, { clock: cancels || !held ? clock : held.clock, shown, hidden });
  }

  /** The row as all that was said makes it. */
  settle(): ClockedRow {
    for (const [name, cancelled] of this.#cancelled) this.#choose(name as FieldName, cancelled);
    this.#settleDuration();
    return { ...this.#row, clocks: { base: this.#base, fields: this.#fields, cancelled: this.#cancelled } };
  }

  /** Finds what came with a `cancelled` where that was never written down: by the creation, or by a release before this. */
  #tellCancelled(): void {
    const { values } = this.#row;
    const cancelledAt = values[status] === 'cancelled' ? this.#fields.get('status') : undefined;
    for (const [index, tells] of TELLS_OUTCOME.entries()) {
      const clock = tells ? this.clockOf(index) : undefined;
      if (clock?.[0] !== CANCELLED) continue;
      // A PATCH of a run that was cancelled already; that which cancelled it named the status as well.
      if (isCommand(clock) && clock.join() !== cancelledAt?.join()) continue;
      this.#fields.delete(nameOf(index));
      this.#cancelled.set(nameOf(index), { clock, shown: true, hidden: null });
    }
  }

  /** Before another value takes the field's place in the row, which alone says that the creation's clock is its. */
  #writeDown(index: number): void {
    const clock = this.clockOf(index);
    if (clock) this.#fields.set(nameOf(index), clock);
  }

  #show(index: number, value: SqlValue): void {
    this.#row.values[index] = value;
    this.#row.defaulted = clearDefaulted(this.#row.defaulted, index);
  }

  #showNothing(index: number): void {
    this.#row.values[index] = TABLE[index]?.default ?? null;
    this.#row.defaulted = setDefaulted(this.#row.defaulted, index);
  }

  /** Shows the one of a field's two registers that holds. */
  #choose(name: FieldName, { clock, shown, hidden }: Cancelled): void {
    const index = FIELD_INDEX[name];
    const own = this.#fields.get(name);
    const shows = rankOf(this.#row.values) < COMPLETED && (!own || compareClocks(clock, own) > 0);
    if (shows === shown) return;
    // A duration that was derived hides that 0 was said.
    const { values, defaulted } = this.#row;
    const hides = isGiven(values, defaulted, index) ? (values[index] ?? null) : (TABLE[index]?.default ?? null);
    if (shows || own) this.#show(index, hidden);
    else this.#showNothing(index);
    this.#cancelled.set(name, { clock, shown: shows, hidden: shows && !own ? null : hides });
  }

  /** The last step, for it follows from the times that show. That 0 was said is kept by its clock, whatever shows. */
  #settleDuration(): void {
    const row = this.#row;
    const given = isGiven(row.values, row.defaulted, duration_ms);
    const written = this.#fields.has('duration_ms') || this.#cancelled.get('duration_ms')?.shown === true;
    row.defaulted = deriveDuration(row.values, row.defaulted);
    const derived = !isGiven(row.values, row.defaulted, duration_ms);
    if (given && derived && !written) this.#fields.set('duration_ms', this.#base);
    if (written && derived && row.values[duration_ms] === 0) this.#show(duration_ms, 0);
  }
}
