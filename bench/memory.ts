/**
 * npm run bench:memory -- [--minutes 10] [--rows 20000]
 *
 * Whether the service's process grows: its resident memory, once a second, beside everything that is asked of a service at
 * the same time. The load is paced, for the disk's sake. Linux only: /proc tells.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Load } from './load/handle.ts';
import type { Job } from './load/jobs.ts';
import { digits, type Figure, readOptions, report } from './report.ts';
import { makeRun, SOURCE } from './runs.ts';
import { type BenchService, fill, median, startBenchService } from './support.ts';

const { minutes, rows } = readOptions({ minutes: 10, rows: 20_000 });
const SAMPLED_MS = 1_000;
const MINUTE_MS = 60_000;
const MIB = 2 ** 20;
/** Stored in all, about; a longer benchmark posts more slowly. */
const MAX_ROWS = 1_500_000;
if (rows >= MAX_ROWS) throw new RangeError(`--rows must be below ${MAX_ROWS}`);
const POSTERS = 32;
const BATCH = 1_000;
/** Runs a second, by single POSTs and in batches. */
const SINGLE_RUNS = 1_000;
const BATCHED_RUNS = 1_000;
const TOTALS = ['/metrics', '/metrics/prometheus', '/api/v1/metadata', '/health'];

interface Sample {
  /** Minutes since the first. */
  at: number;
  /** All in MiB; heap and external are the main thread's, resident is of all threads. */
  resident: number;
  heapUsed: number;
  external: number;
}

function residentOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / MIB;
}

async function jobsFor(url: string): Promise<Job[]> {
  const listed = (await (await fetch(`${url}/api/v1/runs?limit=100`)).json()) as {
    event_id: string;
    agent_name: string;
  }[];
  const byId = listed.map(({ event_id }) => `/api/v1/runs/${event_id}`);
  const agent = encodeURIComponent(String(listed[0]?.agent_name));
  const lists = [
    '',
    `agent_name=${agent}`,
    'status=failure',
    `agent_name=${agent}&status=success`,
    'limit=1000&offset=5000',
  ];
  const slower = Math.min(1, (MAX_ROWS - rows) / ((SINGLE_RUNS + BATCHED_RUNS) * minutes * 60));
  return [
    { kind: 'single', connections: POSTERS, perSecond: (SINGLE_RUNS / POSTERS) * slower },
    { kind: 'batch', size: BATCH, connections: 1, perSecond: (BATCHED_RUNS / BATCH) * slower },
    { kind: 'get', connections: 2, perSecond: 20, paths: lists.map((query) => `/api/v1/runs?${query}`) },
    { kind: 'get', connections: 2, perSecond: 50, paths: byId },
    { kind: 'get', connections: 1, perSecond: 5, paths: TOTALS },
    { kind: 'patch', connections: 1, perSecond: 20, paths: byId },
  ];
}

/** A sample a second until `end` settles. */
async function sampleUntil(end: Promise<unknown>, service: BenchService): Promise<Sample[]> {
  let ended = false;
  const onEnd = (): void => {
    ended = true;
  };
  end.then(onEnd, onEnd);
  const samples: Sample[] = [];
  const started = performance.now();
  for (;;) {
    await pause(SAMPLED_MS);
    if (ended) return samples;
    const at = (performance.now() - started) / MINUTE_MS;
    const resident = residentOf(service.pid);
    const { heapUsed, external } = await service.ask('memory');
    samples.push({ at, resident, heapUsed: heapUsed / MIB, external: external / MIB });
  }
}

/** Of the line nearest to the samples, in MiB a minute. */
function slope(samples: readonly Sample[]): number {
  const mean = (read: (sample: Sample) => number): number =>
    samples.reduce((sum, one) => sum + read(one), 0) / samples.length;
  const at = mean((sample) => sample.at);
  const resident = mean((sample) => sample.resident);
  return mean((one) => (one.at - at) * (one.resident - resident)) / mean((one) => (one.at - at) ** 2);
}

function figuresOf(samples: readonly Sample[]): Figure[] {
  const quarter = (which: number): Sample[] =>
    samples.slice(Math.floor((which * samples.length) / 4), Math.floor(((which + 1) * samples.length) / 4));
  const [, second, third, last] = [0, 1, 2, 3].map(quarter) as [Sample[], Sample[], Sample[], Sample[]];
  const of = (some: readonly Sample[], key: keyof Sample): number => median(some.map((one) => one[key]));
  const both = (key: keyof Sample): string => `${digits(of(last, key))} / ${digits(of(second, key))} MiB`;
  const main = (key: 'heapUsed' | 'external'): Figure => ({
    name: `${key} of the main thread, last quarter`,
    rounds: [of(last, key)],
    unit: 'MiB',
    of: `${both(key)}, max ${digits(Math.max(...samples.map((one) => one[key])))}`,
  });
  return [
    {
      name: 'resident, last quarter / second quarter',
      rounds: [of(last, 'resident') / of(second, 'resident')],
      unit: 'x',
      atMost: 1.1,
      of: both('resident'),
    },
    { name: 'resident, growth a minute in the second half', rounds: [slope([...third, ...last])], unit: 'MiB' },
    { name: 'resident, maximum', rounds: [Math.max(...samples.map(({ resident }) => resident))], unit: 'MiB' },
    main('heapUsed'),
    main('external'),
  ];
}

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
  const load = new Load();
  const service = await startBenchService(directory, []);
  try {
    await fill(service.url, rows, () => makeRun());
    const jobs = await jobsFor(service.url);
    const running = load.run(service.url, minutes * MINUTE_MS, ...jobs);
    const samples = await sampleUntil(running, service);
    const outcomes = await running;
    const rates = outcomes.map(({ perSecond }, index) => `${digits(perSecond)} ${String(jobs[index]?.kind)}`);
    report({
      name: 'memory',
      about:
        `Memory of the service's process over ${minutes} minutes, ${rows.toLocaleString('en')} ${SOURCE} there before; ` +
        `requests a second: ${rates.join(', ')}.`,
      figures: figuresOf(samples),
    });
  } finally {
    load.close();
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.platform === 'linux') await measure();
else process.stdout.write(`bench:memory reads /proc, which ${process.platform} does not have: skipped\n`);
