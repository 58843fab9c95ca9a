/** How quickly a body comes. What is slower than the least rate makes way. Pure. */

/** The least rate: bytes a second, averaged over a window. */
const LEAST_RATE = 16 * 1024;
const WINDOW_MS = 10_000;
/** Where others find no room, a window of this length is enough. */
const PRESSED_MS = 2_000;
/** The longest a body may take, however quick. */
const LONGEST_MS = 60_000;

export class Pace {
  readonly #since: number;
  #markAt: number;
  #markSize = 0;

  constructor(now: number) {
    this.#since = now;
    this.#markAt = now;
  }

  /** Whether it has had its time; to be asked about once a second. @param size bytes that have come so far */
  isOver(size: number, now: number): boolean {
    if (now - this.#since >= LONGEST_MS) return true;
    if (now - this.#markAt < WINDOW_MS) return false;
    if (this.#rate(size, now) < LEAST_RATE) return true;
    this.#markAt = now;
    this.#markSize = size;
    return false;
  }

  /** Whether it makes way where others find no room. */
  makesWay(size: number, now: number): boolean {
    return now - this.#markAt >= PRESSED_MS && this.#rate(size, now) < LEAST_RATE;
  }

  #rate(size: number, now: number): number {
    return ((size - this.#markSize) * 1_000) / (now - this.#markAt);
  }
}
