/**
 * npm run bench:writes -- --beside ../other [--quick] [--rounds 5] [--seconds 2] [--rows 20000]
 *
 * Writes by this checkout's service beside another checkout's. Each round has fresh databases, for they grow.
 */
import {
  aboutBeside,
  type Besides,
  figuresBeside,
  inTurn,
  perSecond,
  type Seen,
  type Three,
  withThree,
} from './beside.ts';
import type { Job } from './load/jobs.ts';
import { readOptions, report } from './report.ts';
import { makeRun } from './runs.ts';
import { fill } from './support.ts';

const WARMING_MS = 500;

interface Step {
  name: string;
  job: Job;
  /** Runs of a request. */
  runs: number;
}

const single = (connections: number): Step => ({
  name: `single runs, ${connections} connection${connections === 1 ? '' : 's'}`,
  job: { kind: 'single', connections },
  runs: 1,
});
const batches = (size: number): Step => ({
  name: `batches of ${size.toLocaleString('en')}, 2 connections`,
  job: { kind: 'batch', size, connections: 2 },
  runs: size,
});

export async function writesBeside(besides: Besides): Promise<void> {
  const { rounds, seconds, rows, small, large } = readOptions({
    ...(besides.quick ? { rounds: 5, seconds: 0.6, rows: 5_000 } : { rounds: 7, seconds: 2, rows: 20_000 }),
    ...{ small: 1_000, large: 5_000 },
  });
  const steps = [single(1), single(8), single(32), single(256), batches(small), batches(large)];
  const seen = new Map<Step, Three<Seen>[]>(steps.map((step) => [step, []]));
  for (let round = 0; round < rounds; round++) {
    await withThree(besides.checkout, async (urls, load) => {
      for (const url of urls) {
        await fill(url, rows, () => makeRun());
        await load.run(url, WARMING_MS, { kind: 'single', connections: 32 });
      }
      for (const step of round % 2 === 0 ? steps : steps.toReversed()) {
        const { job } = step;
        seen.get(step)?.push(await inTurn(load, urls, seconds * 1_000, [job, job, job]));
      }
    });
  }
  report({
    name: 'writes-beside',
    about: aboutBeside(besides, rounds, seconds),
    figures: [...seen].flatMap(([{ name, runs }, all]) =>
      figuresBeside({
        name,
        unit: 'a second',
        values: all.map((three) => three.map((one) => perSecond(one) * runs) as Three<number>),
        goal: true,
      }),
    ),
  });
}
