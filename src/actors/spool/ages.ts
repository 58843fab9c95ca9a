/**
 * Which bytes of a growing file are old enough, without looking into them: those that were there at
 * a look long enough ago. Younger ones are left to the client, who is sending them. Pure.
 */
interface Look {
  at: number;
  size: number;
}

/** Looks closer together than this count as one, so that only a few are kept. */
const RESOLUTION_MS = 100;

export class Ages {
  readonly #graceMs: number;
  /** The newest of those old enough, then the younger ones. */
  #looks: Look[] = [];

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Notes the size at a look. */
  see(now: number, size: number): void {
    const last = this.#looks.at(-1);
    // Another file, or another clock.
    if (last && (size < last.size || now < last.at)) this.#looks = [];
    else if (last && (size === last.size || now - last.at < RESOLUTION_MS)) return;
    this.#looks.push({ at: now, size });
  }

  /** How many bytes are old enough. */
  ripe(now: number): number {
    while (this.#looks[1] && this.#isRipe(this.#looks[1], now)) this.#looks.shift();
    const [oldest] = this.#looks;
    return oldest && this.#isRipe(oldest, now) ? oldest.size : 0;
  }

  /** When more will be; undefined where no look promises any. */
  nextRipe(now: number): number | undefined {
    const next = this.#looks.find((look) => !this.#isRipe(look, now));
    return next && next.at + this.#graceMs;
  }

  #isRipe(look: Look, now: number): boolean {
    return now - look.at >= this.#graceMs;
  }
}
