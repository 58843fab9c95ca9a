/**
 * npm run bench:writes -- [--rounds 5] [--seconds 2] [--rows 20000]
 * npm run bench:writes -- --beside ../other: see writes-beside.ts
 *
 * Writes by the service beside a bare loop of better-sqlite3 that commits as durably, and batches beside a bare HTTP server
 * as well. The larger a file, the slower it takes rows: with ten times as many rows, by a third and more. So each round has
 * a fresh service and a fresh bare file, and each step is of both, one after the other: the bare file gets as many rows as
 * the service has just stored, so that both are as large at the next step.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BareFile, type BareRow, makeRows } from './bare.ts';
import { takeBesides } from './beside.ts';
import { Load } from './load/handle.ts';
import type { Outcome } from './load/jobs.ts';
import { readOptions, report } from './report.ts';
import { IDS, makeRun, SOURCE } from './runs.ts';
import { fill, startBenchService } from './support.ts';
import { writesBeside } from './writes-beside.ts';
import { type BatchStep, figuresOf, type Measured, type SingleStep, type Step } from './writes-figures.ts';

const besides = takeBesides();
if (besides) {
  await writesBeside(besides);
  process.exit();
}
/** Of the batches' two sizes a mere trial may want less. */
const { rounds, seconds, rows, small, large } = readOptions({
  rounds: 5,
  seconds: 2,
  rows: 20_000,
  small: 1_000,
  large: 5_000,
});
const MILLISECONDS = seconds * 1_000;
const WARMING_MS = Math.min(1_000, MILLISECONDS);
/** Rows a commit where the bare file only has to become as large. */
const TOPPED_AT_ONCE = 5_000;
/** The bare loop at a row a commit: as long as this, looked at after so many. */
const BARE_MS = Math.min(1_000, MILLISECONDS);
const BARE_SLICE = 20;
/** Commits of a bare batch, at least. */
const BARE_COMMITS = 3;

const single = (connections: number, atLeast?: number): SingleStep => ({
  job: { kind: 'single', connections },
  ...(atLeast !== undefined && { atLeast }),
});
const batches = (size: number, connections: number, atLeast?: number): BatchStep => ({
  job: { kind: 'batch', size, connections },
  ...(atLeast !== undefined && { atLeast }),
});

const STEPS: readonly Step[] = [
  single(1, 0.6),
  single(8),
  single(32, 6),
  single(256, 14),
  batches(small, 1, 0.85),
  batches(small, 4, 0.85),
  batches(large, 1),
  batches(large, 4),
];

/** Requests of a step, also those answered after its time: they are in the database. */
const requestsOf = ({ latencies }: Outcome): number => latencies.length;
/** Of them, per second. There are few large batches in a step: to leave one out is to be wrong by a tenth. */
const rateOf = (outcome: Outcome): number => (requestsOf(outcome) * 1_000) / outcome.took;

/** A row a commit, for as long as is measured; then as many rows as the service has stored. @returns rows a second */
function bareSingles(file: BareFile, stored: number): number {
  const made = makeRows(stored);
  const slices = (from: number): BareRow[] => made.slice(from, from + BARE_SLICE);
  const started = performance.now();
  let done = 0;
  do {
    file.store(slices(done), 1);
    done = Math.min(done + BARE_SLICE, stored);
  } while (done < stored && performance.now() - started < BARE_MS);
  const rate = (done * 1_000) / (performance.now() - started);
  file.store(made.slice(done), TOPPED_AT_ONCE);
  return rate;
}

async function measure(step: Step, service: string, file: BareFile): Promise<void> {
  const { job } = step;
  const [storing] = await load.run(service, MILLISECONDS, job);
  if (job.kind === 'single') {
    const bare = bareSingles(file, requestsOf(storing));
    measured.push({ step, rate: rateOf(storing), bare, latencies: storing.latencies });
    return;
  }
  const stored = Math.max(requestsOf(storing), BARE_COMMITS) * job.size;
  const bare = file.store(makeRows(stored), job.size);
  const [reading] = await load.run(http, MILLISECONDS, { ...job, same: true });
  measured.push({ step, rate: rateOf(storing) * job.size, bare, http: rateOf(reading) * job.size });
}

async function round(steps: readonly Step[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
  const service = await startBenchService(join(directory, 'service'), []);
  try {
    // Filling warms the batches up.
    await fill(service.url, rows, () => makeRun());
    const [warming] = await load.run(service.url, WARMING_MS, { kind: 'single', connections: 32 });
    using file = new BareFile(join(directory, 'bare.sqlite'), makeRows(rows + requestsOf(warming)));
    for (const step of steps) await measure(step, service.url, file);
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function startBareHttp(): Promise<[ChildProcess, string]> {
  const child = fork(fileURLToPath(new URL('./bare-http.ts', import.meta.url)));
  const [url] = (await once(child, 'message')) as [string];
  return [child, url];
}

const measured: Measured[] = [];
const [bareHttp, http] = await startBareHttp();
const load = new Load();
try {
  // There and back, so that no step has the larger database each time.
  for (let done = 0; done < rounds; done++) await round(done % 2 === 0 ? STEPS : STEPS.toReversed());
  report({
    name: 'writes',
    about:
      `Runs stored a second, by those a bare loop stores as durably in a file as large; ${SOURCE}, ids ${IDS}. ` +
      `${rounds} rounds of ${seconds} s each, ${rows.toLocaleString('en')} rows there before.`,
    figures: STEPS.flatMap((step) =>
      figuresOf(
        step,
        measured.filter((one) => one.step === step),
      ),
    ),
  });
} finally {
  load.close();
  bareHttp.disconnect();
}
