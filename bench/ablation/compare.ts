/** What the pieces of bench/ablation.ts share: measures that take turns, and the figure of two of them. */
import type { Load } from '../load/handle.ts';
import { digits, type Figure } from '../report.ts';
import { median } from '../support.ts';

/** What a piece is given. */
export interface Bench {
  /** A folder of its own. */
  directory: string;
  rounds: number;
  /** Of each step with a service. */
  seconds: number;
  load: Load;
}

/** Rows in a file before anything is measured: indexes of a new file are shallow. */
export const ROWS_BEFORE = 20_000;

/**
 * Measures that take turns, there and back, so many times a round: what a machine gives changes within seconds.
 *
 * @returns each one's medians, round after round
 */
export function takeTurns(rounds: number, times: number, ...measures: (() => number)[]): number[][] {
  const medians = measures.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const seen = measures.map((): number[] => []);
    for (let time = 0; time < times; time++) {
      const turns = [...measures.entries()];
      for (const [which, measure] of time % 2 === 0 ? turns : turns.reverse()) seen[which]?.push(measure());
    }
    for (const [which, values] of seen.entries()) medians[which]?.push(median(values));
  }
  return medians;
}

/** How long some work takes, in milliseconds. */
export function timeOf(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** `above` by `below` in each round, with both medians beside. @param unit of both */
export function ratioOf(name: string, above: readonly number[], below: readonly number[], unit: string): Figure {
  return {
    name,
    rounds: above.map((value, round) => value / (below[round] as number)),
    unit: 'x',
    of: `${digits(median(above))} by ${digits(median(below))} ${unit}`,
  };
}
