/** One spool file as the drain knows it: how far it is stored, read, and fit to be read. Pure. */
import type { SpoolFile } from '../protocol.ts';
import { Ages } from './ages.ts';
import type { SpoolEntry, SpoolState } from './files.ts';
import { type Mark, START } from './fingerprint.ts';
import type { Place } from './lines.ts';
import { Trust } from './trust.ts';

export interface TailTimes {
  /** Lines of a `.live` file younger than this are left to their client. */
  graceMs: number;
  /** How long a complete file that is read to its end must stand still before it is finished. */
  restMs: number;
}

/** Nobody writes to it any more. */
export const isComplete = (state: SpoolState): boolean => state === 'sealed' || state === 'ready';

export class Tail implements SpoolFile {
  readonly name: string;
  readonly inode: string;
  state: SpoolState;
  size: number;
  mtimeMs: number;
  /** The position that the writer has stored. */
  stored: number;
  place: Place;
  /** What stood before the place. */
  mark: Mark;
  readonly trust: Trust;
  /** Lines of a batch at most, where one of more lines failed. */
  maxLines: number | undefined;
  /** A line that the writer could not store, and why. */
  doomed: { offset: number; reason: string } | undefined;
  /** Not looked at again before this; something was in the way. */
  blockedUntil = 0;
  readonly #times: TailTimes;
  readonly #ages: Ages;
  #restingSince: number | undefined;

  constructor(entry: SpoolEntry, stored: Mark, times: TailTimes, now: number) {
    this.name = entry.name;
    this.inode = entry.inode;
    this.state = entry.state;
    this.size = entry.size;
    this.mtimeMs = entry.mtimeMs;
    const { position } = stored;
    this.stored = position;
    this.mark = stored;
    this.place = { position, scanned: position };
    this.trust = new Trust(entry, position > 0, now);
    this.#times = times;
    this.#ages = new Ages(times.graceMs);
  }

  /** Notes what a look found. @returns false where the file has been cut short, and is read from its beginning */
  see(found: Pick<SpoolEntry, 'state' | 'size' | 'mtimeMs' | 'ctimeNs'>, now: number): boolean {
    const { state, size, mtimeMs } = found;
    const changed = state !== this.state || size !== this.size || mtimeMs !== this.mtimeMs;
    this.state = state;
    this.size = size;
    this.mtimeMs = mtimeMs;
    this.#ages.see(now, size);
    this.trust.see(found, now);
    const whole = size >= this.place.position;
    if (!whole) this.moveTo(START);
    if (changed || !whole || !isComplete(state) || this.place.scanned < size) this.#restingSince = undefined;
    else this.#restingSince ??= now;
    return whole;
  }

  /** Goes on from a position. */
  moveTo(mark: Mark): void {
    const { position } = mark;
    this.place = { position, scanned: position };
    this.mark = mark;
    this.#restingSince = undefined;
    if (position === 0) this.trust.restart();
  }

  /** Whether all that was read is to be compared with what stands there now. */
  isDoubtful(now: number): boolean {
    return this.place.position > 0 && this.trust.isDue(now);
  }

  get pendingBytes(): number {
    return Math.max(0, this.size - this.place.position);
  }

  /** How far it may be read. */
  readableTo(now: number): number {
    const age = now - this.mtimeMs;
    return this.state === 'live' && age < this.#times.graceMs ? Math.min(this.size, this.#ages.ripe(now)) : this.size;
  }

  /** Complete, read to its last line's end, and nothing has come for a while. */
  isAtRest(now: number): boolean {
    return this.#restingSince !== undefined && now - this.#restingSince >= this.#times.restMs;
  }

  /** All that was read of it still stands there. */
  get isProven(): boolean {
    return this.place.position === 0 || this.trust.proven;
  }

  /** At rest and stored to its end, but not yet compared since it changed. */
  isLeaving(now: number): boolean {
    return this.blockedUntil <= now && this.isAtRest(now) && this.place.position === this.size && !this.isProven;
  }

  /** At rest, and its last line has no end: it will never have one. */
  isTorn(now: number): boolean {
    return this.isAtRest(now) && this.place.position < this.size;
  }

  isDue(now: number): boolean {
    if (this.blockedUntil > now) return false;
    return this.readableTo(now) > this.place.scanned || this.isTorn(now) || this.isDoubtful(now);
  }

  /** When to look again though nothing happens; Infinity where there is no need. */
  wakeAt(now: number): number {
    if (this.blockedUntil > now) return this.blockedUntil;
    if (isComplete(this.state)) return (this.#restingSince ?? now) + this.#times.restMs;
    const doubtfulAt = this.place.position > 0 ? this.trust.dueAt() : Infinity;
    if (this.state !== 'live' || this.readableTo(now) >= this.size) return doubtfulAt;
    return Math.min(this.#ages.nextRipe(now) ?? Infinity, this.mtimeMs + this.#times.graceMs, doubtfulAt);
  }
}
