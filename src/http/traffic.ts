/** What was answered over the port: how often with each status, and how long it took. */
import { type Distribution, DURATIONS, Histogram } from '../histogram.ts';

export class Traffic {
  readonly #answers = new Map<number, number>();
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
