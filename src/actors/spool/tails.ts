/** The tails of files that something is to be done with, or was; bounded. */
import { keyOf, type SpoolEntry } from './files.ts';
import type { Mark } from './fingerprint.ts';
import { isComplete, Tail, type TailTimes } from './tail.ts';

export interface TailsOptions extends TailTimes {
  /** A `.live` file that is untouched for so long has lost its client. */
  maxAgeMs: number;
  maxTails?: number;
}

/** Beyond, a file with nothing to read is let go for one that has something; others wait. */
const MAX_TAILS = 50_000;

export class Tails {
  readonly #options: TailsOptions;
  readonly #max: number;
  readonly #tails = new Map<string, Tail>();
  /** Keys of those with nothing to read. */
  readonly #read = new Set<string>();

  constructor(options: TailsOptions) {
    this.#options = options;
    this.#max = options.maxTails ?? MAX_TAILS;
  }

  [Symbol.iterator](): MapIterator<Tail> {
    return this.#tails.values();
  }

  get size(): number {
    return this.#tails.size;
  }

  /**
   * The tail of a file that a look found.
   *
   * @param stored what is stored of it
   * @returns undefined where there is nothing to do with the file, or no room for it now
   */
  of(entry: SpoolEntry, stored: Mark, now: number): Tail | undefined {
    const known = this.#tails.get(keyOf(entry));
    if (known) return known;
    const { state, size, mtimeMs } = entry;
    const ofUse = size > 0 || stored.position > 0 || isComplete(state);
    if (!ofUse && !(state === 'live' && now - mtimeMs > this.#options.maxAgeMs)) return undefined;
    if (this.#tails.size >= this.#max && !(size > stored.position && this.#makeRoom())) return undefined;
    const tail = new Tail(entry, stored, this.#options, now);
    this.#tails.set(keyOf(entry), tail);
    return tail;
  }

  /** Whether a file waits for nothing but a change. */
  isQuiet(tail: Tail, now: number): boolean {
    const isRead = tail.place.scanned >= tail.size;
    if (isRead) this.#read.add(keyOf(tail));
    else this.#read.delete(keyOf(tail));
    return isRead && !isComplete(tail.state) && tail.wakeAt(now) === Infinity;
  }

  /** Lets go of all but these. @returns those that are gone */
  keep(keys: ReadonlySet<string>): Tail[] {
    const gone: Tail[] = [];
    for (const [key, tail] of this.#tails) {
      if (keys.has(key)) continue;
      gone.push(tail);
      this.#tails.delete(key);
      this.#read.delete(key);
    }
    return gone;
  }

  #makeRoom(): boolean {
    const key = this.#read.values().next().value;
    if (key === undefined) return false;
    this.#read.delete(key);
    return this.#tails.delete(key);
  }
}
