/** What was answered over the port: how often with each status, and how long it took. */
import { type Distribution, DURATIONS, Histogram } from '../histogram.ts';

export class Traffic {
  // Failures of ours have a series from the start: Prometheus does not see the rise to a first value.
  readonly #answers = new Map([500, 503, 507].map((status) => [status, 0]));
  readonly #seconds = new Histogram(DURATIONS);

  /** @param milliseconds from the request's head to its answer */
  answered(status: number, milliseconds: number): void {
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
    this.#seconds.observe(milliseconds / 1_000);
  }

  /** Answers by status code. */
  get answers(): ReadonlyMap<number, number> {
    return this.#answers;
  }

  get seconds(): Distribution {
    return this.#seconds;
  }
}
