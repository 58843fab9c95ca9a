/** The tails of files that something is to be done with, or was; bounded. */
import { keyOf, type SpoolEntry } from './files.ts';
import type { Mark } from './fingerprint.ts';
import { isComplete, Tail, type TailTimes } from './tail.ts';

export interface TailsOptions extends TailTimes {
  /** A `.live` file that is untouched for so long has lost its client. */
  maxAgeMs: number;
  maxTails?: number;
}

/** Beyond, a file that has nothing to read is let go for one that may; where there is none, that one waits. */
const MAX_TAILS = 100_000;

export class Tails {
  readonly #options: TailsOptions;
  readonly #max: number;
  readonly #tails = new Map<string, Tail>();
  /** Keys of those that wait for nothing but a change. */
  readonly #quiet = new Set<string>();

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
    if (this.#tails.size >= this.#max && !this.#makeRoom()) return undefined;
    const tail = new Tail(entry, stored, this.#options, now);
    this.#tails.set(keyOf(entry), tail);
    return tail;
  }

  /** Whether a file waits for nothing but a change. */
  isQuiet(tail: Tail, now: number): boolean {
    const quiet = !isComplete(tail.state) && tail.place.scanned >= tail.size && tail.wakeAt(now) === Infinity;
    if (quiet) this.#quiet.add(keyOf(tail));
    else this.#quiet.delete(keyOf(tail));
    return quiet;
  }

  /** Lets go of all but these. @returns those that are gone */
  keep(keys: ReadonlySet<string>): Tail[] {
    const gone: Tail[] = [];
    for (const [key, tail] of this.#tails) {
      if (keys.has(key)) continue;
      gone.push(tail);
      this.#tails.delete(key);
      this.#quiet.delete(key);
    }
    return gone;
  }

  #makeRoom(): boolean {
    const key = this.#quiet.values().next().value;
    if (key === undefined) return false;
    this.#quiet.delete(key);
    return this.#tails.delete(key);
  }
}
