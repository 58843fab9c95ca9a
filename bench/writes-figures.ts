/** The figures of bench/writes.ts: what the service stores by what the bare ones do in the same round. */
import type { Job } from './load/jobs.ts';
import { digits, type Figure } from './report.ts';
import { median, percentile } from './support.ts';

interface Goal {
  /** Of the ratio to the bare loop. */
  atLeast?: number;
}

export type SingleStep = Goal & { job: Extract<Job, { kind: 'single' }> };
export type BatchStep = Goal & { job: Extract<Job, { kind: 'batch' }> };
export type Step = SingleStep | BatchStep;

/** One step of one round; rates are runs a second. */
export interface Measured {
  step: Step;
  rate: number;
  /** Of the bare loop, with as many rows a commit. */
  bare: number;
  /** Of the bare HTTP server, which only reads them; of batches. */
  http?: number;
  /** Milliseconds; of single runs. */
  latencies?: Float64Array;
}

const connectionsOf = (count: number): string => `${count} connection${count === 1 ? '' : 's'}`;

/** @param measured of this step, round after round */
export function figuresOf({ job, atLeast }: Step, measured: readonly Measured[]): Figure[] {
  const many = job.kind === 'batch' ? `batches of ${job.size.toLocaleString('en')}` : 'single runs';
  const name = `${many}, ${connectionsOf(job.connections)}`;
  const by = (what: string, rateOf: (one: Measured) => number): Figure => ({
    name: `${name} / ${what}`,
    rounds: measured.map((one) => one.rate / rateOf(one)),
    unit: 'x',
    of: `${digits(median(measured.map(({ rate }) => rate)))} by ${digits(median(measured.map(rateOf)))} a second`,
  });
  const latency = (what: string, share: number): Figure => ({
    name: `${name}: ${what}`,
    rounds: measured.map(({ latencies = [] }) => percentile(latencies, share)),
    unit: 'ms',
  });
  const perCommit = job.kind === 'batch' ? 'as many a commit' : '1 row a commit';
  const bare = { ...by(`bare loop, ${perCommit}`, (one) => one.bare), ...(atLeast !== undefined && { atLeast }) };
  return job.kind === 'batch'
    ? [bare, by('bare HTTP server', ({ http = NaN }) => http)]
    : [bare, latency('p50', 0.5), latency('p99', 0.99)];
}
