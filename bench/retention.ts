/**
 * npm run bench:retention -- --rows 200000 --seconds 10
 *
 * What those who post and read notice of a retention that deletes three quarters of all runs: the same
 * load before it, meanwhile and after it; then whether the counts are right, and what the file's size is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { Load } from './load/handle.ts';
import type { Job, Outcome } from './load/jobs.ts';
import { digits, type Figure, readOptions, report } from './report.ts';
import { makeRun } from './runs.ts';
import { fill, percentile, startBenchService } from './support.ts';

const { rows, seconds } = readOptions({ rows: 200_000, seconds: 10 });
const WARMING_MS = 2_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
const DAYS = 200;
const KEPT_DAYS = 50;
const SHARES = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['max', 1],
] as const;

/** As fast as they are answered; the posts' figures, then the lists'. */
const JOBS = [
  { kind: 'single', connections: 8 },
  { kind: 'get', connections: 2, paths: ['/api/v1/runs?agent_name=renovate&limit=100'] },
] as const satisfies Job[];
const NAMES = ['post', 'list'] as const;

const makeSpread = (now: number) => (index: number) =>
  makeRun(new Date(now - (index / rows) * DAYS * DAY_MS).toISOString());

interface Swept {
  deleted: number;
  bytes_before: number;
  bytes_after: number;
}

/** The real command, as its own process. */
async function retention(directory: string): Promise<Swept> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const words = ['retention', '--days', String(KEPT_DAYS), '--apply', '--json'];
  const env = { ...process.env, TELEMETRY_BASE_DIR: directory };
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`retention ended with ${code}`);
  return JSON.parse(output) as Swept;
}

/** Whether the counts that are kept equal those of the runs. */
function countsAreRight(path: string): boolean {
  const db = new Database(path, { readonly: true });
  try {
    const kept = 'SELECT agent_name, job_type, status, runs FROM rollup_runs ORDER BY 1, 2, 3';
    const real = 'SELECT agent_name, job_type, status, count(*) FROM agent_runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3';
    return JSON.stringify(db.prepare(kept).raw().all()) === JSON.stringify(db.prepare(real).raw().all());
  } finally {
    db.close();
  }
}

/** Meanwhile against before. */
function figures(before: Outcome[], meanwhile: Outcome[], after: Outcome[]): Figure[] {
  return NAMES.flatMap((name, index) => {
    const [first, during, last] = [before, meanwhile, after].map((outcomes) => outcomes[index]) as [
      Outcome,
      Outcome,
      Outcome,
    ];
    const figure = (what: string, unit: string, read: (outcome: Outcome) => number): Figure => ({
      name: `${name} ${what}, meanwhile / before`,
      rounds: [read(during) / read(first)],
      unit: 'x',
      of: `${[during, first, last].map((outcome) => digits(read(outcome))).join(' / ')} ${unit} meanwhile / before / after`,
    });
    return [
      ...SHARES.map(([what, share]) => figure(what, 'ms', ({ latencies }) => percentile(latencies, share))),
      figure('rate', 'a second', ({ perSecond }) => perSecond),
    ];
  });
}

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const path = join(directory, 'db', 'telemetry.sqlite');
const load = new Load();
const service = await startBenchService(directory, []);
try {
  await fill(service.url, rows, makeSpread(Date.now()));
  const filled = statSync(path).size;
  await load.run(service.url, WARMING_MS, ...JOBS);
  const before = await load.run(service.url, seconds * 1_000, ...JOBS);
  const sweep = retention(directory);
  const [meanwhile, swept] = await Promise.all([load.runUntil(service.url, sweep, ...JOBS), sweep]);
  const after = await load.run(service.url, seconds * 1_000, ...JOBS);
  await service.stop();
  report({
    name: 'retention',
    about: 'Single runs posted on 8 connections and lists of 100 read on 2, before, during and after a retention.',
    figures: figures(before, meanwhile, after),
  });
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  process.stdout.write(
    `\n${swept.deleted} of ${rows} runs deleted; the file had ${mib(filled)} when filled, ${mib(swept.bytes_before)} before, ${mib(swept.bytes_after)} after\n` +
      `counts right: ${countsAreRight(path)}\n`,
  );
} finally {
  load.close();
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
