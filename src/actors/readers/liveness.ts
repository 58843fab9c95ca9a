/** Whether queries are being answered at all, which is not whether they are answered soon. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe } from '../../errors.ts';

/** Reading works where a query was answered so lately. */
const LATELY_MS = 1_000;

export class Liveness {
  readonly #ask: () => Promise<unknown>;
  readonly #now: () => number;
  #answeredAt = -Infinity;
  #probe: Promise<string | undefined> | undefined;

  /** @param ask any query, with its wait for a thread */
  constructor(ask: () => Promise<unknown>, now: () => number = () => performance.now()) {
    this.#ask = ask;
    this.#now = now;
  }

  /** A query was answered. */
  answered(): void {
    this.#answeredAt = this.#now();
  }

  /**
   * Why nothing can be read just now; undefined where something can. All who want to know share one query, and there is none
   * where another was answered a moment ago.
   *
   * @param withinMs how long the answer may take
   */
  async trouble(withinMs: number): Promise<string | undefined> {
    const asked = this.#now();
    if (asked - this.#answeredAt < LATELY_MS) return undefined;
    this.#probe ??= this.#ask()
      .then(() => undefined, describe)
      .finally(() => (this.#probe = undefined));
    const late = Symbol('late');
    const found = await Promise.race([this.#probe, pause(withinMs, late, { ref: false })]);
    if (found !== late) return found as string | undefined;
    // Behind many others it waits like them.
    return this.#answeredAt > asked ? undefined : `no query was answered within ${withinMs / 1_000} s`;
  }
}
