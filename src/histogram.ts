/** Counts of observations by size, cheap enough for every request. Pure. */

/** What a histogram holds. */
export interface Distribution {
  /** Upper bounds, inclusive, ascending. */
  bounds: readonly number[];
  /** Observations up to each bound and above the one before, and those above all bounds: one more than bounds. */
  counts: readonly number[];
  sum: number;
}

/** Seconds: from a page in memory to a request that someone gives up on. */
export const DURATIONS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export class Histogram implements Distribution {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  /** @param bounds ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let place = 0;
    while (place < this.bounds.length && value > (this.bounds[place] as number)) place++;
    this.counts[place] = (this.counts[place] as number) + 1;
    this.sum += value;
  }
}
