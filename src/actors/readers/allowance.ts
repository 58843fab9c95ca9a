/** So many within a span of time, and no more. Pure. */
export class Allowance {
  readonly #most: number;
  readonly #spanMs: number;
  readonly #now: () => number;
  /** When each within the span was taken, the oldest first. */
  #taken: number[] = [];

  constructor(most: number, spanMs: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#spanMs = spanMs;
    this.#now = now;
  }

  /** @returns false where so many were taken within the span that ends now */
  take(): boolean {
    const now = this.#now();
    this.#taken = this.#taken.filter((at) => now - at < this.#spanMs);
    if (this.#taken.length >= this.#most) return false;
    this.#taken.push(now);
    return true;
  }
}
