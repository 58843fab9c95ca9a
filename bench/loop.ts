/**
 * npm run bench:loop -- [--rounds 5] [--seconds 4]
 *
 * How long the service's main thread keeps its events waiting, which is what a request to it waits before anybody has looked
 * at it: idle, beside batches of 5,000 at full rate, and beside 64 connections of single runs. Every round is all three.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Load } from './load/handle.ts';
import type { Job } from './load/jobs.ts';
import type { LoopDelays } from './questions.ts';
import { digits, type Figure, readOptions, report } from './report.ts';
import { makeRun, SOURCE } from './runs.ts';
import { fill, median, startBenchService } from './support.ts';

const { rounds, seconds } = readOptions({ rounds: 5, seconds: 4 });
const ROWS_BEFORE = 20_000;
const WARMING_MS = 1_000;
/** Milliseconds: longer, and whoever asks for one run notices the batches of others. */
const GOAL_MS = 20;

interface Beside {
  name: string;
  job?: Job;
  /** Of p99. */
  goal?: number;
  seen: { delays: LoopDelays; perSecond: number }[];
}

const BESIDE: readonly Beside[] = [
  { name: 'idle', seen: [] },
  { name: 'batches of 5,000', job: { kind: 'batch', size: 5_000, connections: 2 }, goal: GOAL_MS, seen: [] },
  { name: 'single runs', job: { kind: 'single', connections: 64 }, seen: [] },
];

function figuresOf({ name, goal, seen }: Beside): Figure[] {
  const rate = median(seen.map(({ perSecond }) => perSecond));
  const figure = (key: 'p50' | 'p99' | 'max'): Figure => ({
    name: `${name}: ${key}`,
    rounds: seen.map(({ delays }) => delays[key]),
    unit: 'ms',
  });
  const p99 = { ...figure('p99'), ...(goal !== undefined && { atMost: goal }) };
  return [figure('p50'), p99, { ...figure('max'), ...(rate > 0 && { of: `${digits(rate)} requests a second` }) }];
}

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const load = new Load();
const service = await startBenchService(directory, []);

/** @returns requests a second */
async function carryOut(job: Job | undefined, milliseconds: number): Promise<number> {
  if (job) return (await load.run(service.url, milliseconds, job))[0].perSecond;
  load.onStart();
  await pause(milliseconds);
  return 0;
}

try {
  await fill(service.url, ROWS_BEFORE, () => makeRun());
  for (const { job } of BESIDE) await carryOut(job, WARMING_MS);
  for (let round = 0; round < rounds; round++) {
    for (const { job, seen } of BESIDE) {
      let watching: Promise<true> | undefined;
      load.onStart = () => {
        watching = service.ask('watch');
      };
      const perSecond = await carryOut(job, seconds * 1_000);
      await watching;
      seen.push({ delays: await service.ask('delays'), perSecond });
    }
  }
  report({
    name: 'loop',
    about:
      `Delay of the main thread's event loop, ${rounds} rounds of ${seconds} s each; ${SOURCE}. Percentiles are of a timer's ` +
      'ticks, due every millisecond.',
    figures: BESIDE.flatMap(figuresOf),
  });
} finally {
  load.close();
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
