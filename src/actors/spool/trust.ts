/**
 * Whether what was read of a file still stands in it, or has to be compared as a whole: a file that only grows is compared
 * at its beginning and before the position, at each turn; the whole when there is reason to, and once it stands still. Pure.
 */
import type { Proof } from './fingerprint.ts';
import type { SpoolState } from './files.ts';

export interface Seen {
  state: SpoolState;
  size: number;
  ctimeNs: bigint;
}

/** A file that has not changed for so long is compared once. */
const STILL_MS = 60_000;
/** So long after a change another one has another time, however coarse the clock of the file system. */
const COARSE_MS = 1_000;

export class Trust {
  /** There is reason to compare before anything else is read. */
  #doubtful: boolean;
  #seen: Seen;
  /** When the last change was first seen. */
  #since = -Infinity;
  /** The ctime of the file at which all before the position was right. */
  #proven: bigint | undefined;
  /** A comparison under way. */
  proof: Proof | undefined;

  /** @param known something was read of it in an earlier life */
  constructor(seen: Seen, known: boolean, now: number) {
    this.#seen = seen;
    this.#doubtful = known;
    this.#since = now;
  }

  see({ state, size, ctimeNs }: Seen, now: number): void {
    const before = this.#seen;
    if (ctimeNs === before.ctimeNs && size === before.size) return;
    this.#seen = { state, size, ctimeNs };
    this.#since = now;
    // Growing is what these files do; a new name sets the ctime too.
    if (size > before.size || state !== before.state) return;
    this.#doubtful = true;
    this.proof = undefined;
  }

  /** Whether the whole is to be compared now. */
  isDue(now: number): boolean {
    return this.#doubtful || this.proof !== undefined || (!this.#isProven && now - this.#since >= STILL_MS);
  }

  /** When it will be, if nothing changes; Infinity where there is no need. */
  dueAt(): number {
    if (this.#doubtful || this.proof) return -Infinity;
    return this.#isProven ? Infinity : this.#since + STILL_MS;
  }

  get #isProven(): boolean {
    return this.#proven === this.#seen.ctimeNs;
  }

  /** Whether it would be right to let the file go, for nothing has changed since it was compared. */
  get proven(): boolean {
    return this.#isProven && !this.#doubtful;
  }

  /** The whole was compared, and is the same. */
  prove(now: number): void {
    this.proof = undefined;
    this.#doubtful = false;
    if (now - this.#since >= COARSE_MS) this.#proven = this.#seen.ctimeNs;
  }

  /** Nothing of it counts as read. */
  restart(): void {
    this.proof = undefined;
    this.#doubtful = false;
    this.#proven = undefined;
  }
}
