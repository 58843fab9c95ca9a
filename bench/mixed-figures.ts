/** The figures of bench/mixed.ts: what a reader sees beside writers, and what the writers lose by the reader. */
import type { Outcome } from './load/jobs.ts';
import { digits, type Figure } from './report.ts';
import { median, percentile } from './support.ts';

export interface Variant {
  name: string;
  /** Whether the goals are its. */
  goals: boolean;
}

/** One step of one round. */
export interface Measured {
  variant: Variant;
  write: string | undefined;
  read: string | undefined;
  writing: Outcome | undefined;
  reading: Outcome | undefined;
}

/** The reads that the goals are about. */
const GOAL = 'paced lists';

/** @param measured of this variant, round after round */
export function figuresOf(variant: Variant, measured: Measured[], writes: string[], reads: string[]): Figure[] {
  const of = (write?: string, read?: string): Measured[] =>
    measured.filter((one) => one.write === write && one.read === read);
  return writes.flatMap((write) =>
    reads.flatMap((read) => {
      const name = `${variant.name}: ${read} beside ${write}`;
      const figures = pair(of(write, read), of(undefined, read), of(write));
      return figures.map(({ atLeast, atMost, ...figure }) => ({
        ...figure,
        name: `${name}, ${figure.name}`,
        ...(variant.goals && read === GOAL && atLeast !== undefined && { atLeast }),
        ...(variant.goals && read === GOAL && atMost !== undefined && { atMost }),
      }));
    }),
  );
}

function pair(beside: Measured[], readAlone: Measured[], writeAlone: Measured[]): Figure[] {
  const latency = (share: number, steps: Measured[]): number[] =>
    steps.map(({ reading }) => percentile((reading as Outcome).latencies, share));
  const rate = (steps: Measured[]): number[] => steps.map(({ writing }) => (writing as Outcome).perSecond);
  const ratio = (above: number[], below: number[]): number[] =>
    above.map((value, round) => value / (below[round] as number));
  const together = beside.flatMap(({ reading }) => [...(reading as Outcome).latencies]);
  const compared = (above: number[], below: number[], unit: string): Pick<Figure, 'rounds' | 'unit' | 'of'> => ({
    rounds: ratio(above, below),
    unit: 'x',
    of: `${digits(median(above))} by ${digits(median(below))} ${unit}`,
  });
  return [
    { name: 'p50', rounds: latency(0.5, beside), unit: 'ms' },
    { name: 'p99', rounds: latency(0.99, beside), unit: 'ms' },
    // Of all rounds together: one has too few reads for it.
    { name: 'p99.9', rounds: [percentile(together, 0.999)], unit: 'ms', of: `${together.length} reads` },
    { name: 'max', rounds: latency(1, beside), unit: 'ms', atMost: 250 },
    { name: 'p99 by alone', ...compared(latency(0.99, beside), latency(0.99, readAlone), 'ms'), atMost: 5 },
    { name: 'writes by alone', ...compared(rate(beside), rate(writeAlone), 'requests a second'), atLeast: 0.8 },
  ];
}
