/**
 * npm run bench:mixed -- --rounds 5 --seconds 4 --rows 20000
 *
 * Reads beside writes that saturate the service: in rollback mode with the gate and without it, and in WAL mode. A dashboard
 * reads at its own pace, so the goals belong to paced lists. Reads as fast as they are answered are shown beside: they take
 * all the processor they can get, and the writers lose it. Each side is also measured alone, in the same round. Each
 * round has new databases: batches at full rate would make them large.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Load } from './load/handle.ts';
import type { Job, Outcome } from './load/jobs.ts';
import { figuresOf, type Measured, type Variant } from './mixed-figures.ts';
import { readOptions, report } from './report.ts';
import { makeRun } from './runs.ts';
import { type BenchService, fill, startBenchService } from './support.ts';

const { rounds, seconds, rows } = readOptions({ rounds: 5, seconds: 4, rows: 20_000 });
const WARMING_MS = 1_000;

const VARIANTS: readonly (Variant & { off: string[]; mode: 'DELETE' | 'WAL' })[] = [
  { name: 'DELETE with gate', goals: true, off: [], mode: 'DELETE' },
  { name: 'DELETE without gate', goals: false, off: ['gate'], mode: 'DELETE' },
  { name: 'WAL', goals: false, off: [], mode: 'WAL' },
];

const WRITES = {
  'single runs': { kind: 'single', connections: 64 },
  'batches of 1,000': { kind: 'batch', size: 1_000, connections: 2 },
} as const satisfies Record<string, Job>;
type Write = keyof typeof WRITES;

const LISTS = ['/api/v1/runs?agent_name=renovate&limit=100'];
const READS = {
  'paced lists': () => ({ kind: 'get', connections: 4, perSecond: 20, paths: LISTS }),
  lists: () => ({ kind: 'get', connections: 1, paths: LISTS }),
  'by id': (ids) => ({ kind: 'get', connections: 1, paths: ids.map((id) => `/api/v1/runs/${id}`) }),
} satisfies Record<string, (ids: string[]) => Job>;
type Read = keyof typeof READS;

/** What is done at the same time. Each write alone lies between those with a reader, for databases grow meanwhile. */
const STEPS: readonly { write?: Write; read?: Read }[] = [
  { read: 'paced lists' },
  { read: 'lists' },
  { read: 'by id' },
  ...(Object.keys(WRITES) as Write[]).flatMap((write) => [
    { write, read: 'lists' as const },
    { write, read: 'paced lists' as const },
    { write },
    { write, read: 'by id' as const },
  ]),
];

interface Running extends BenchService {
  variant: Variant;
  ids: string[];
}

async function startAll(directory: string, services: BenchService[]): Promise<Running[]> {
  const running: Running[] = [];
  for (const [index, variant] of VARIANTS.entries()) {
    const settings = { TELEMETRY_DB_JOURNAL_MODE: variant.mode };
    const service = await startBenchService(join(directory, String(index)), variant.off, settings);
    services.push(service);
    const ids: string[] = [];
    await fill(service.url, rows, () => {
      const run = makeRun();
      ids.push(String(run.event_id));
      return run;
    });
    running.push({ ...service, variant, ids });
    await load.run(service.url, WARMING_MS, WRITES['single runs'], READS.lists(), READS['by id'](ids));
  }
  return running;
}

async function round(steps: typeof STEPS): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
  const services: BenchService[] = [];
  try {
    const running = await startAll(directory, services);
    for (const { write, read } of steps) {
      for (const { url, variant, ids } of running) {
        const jobs = [write && WRITES[write], read && READS[read](ids)].filter((job) => job !== undefined);
        const outcomes: Outcome[] = await load.run(url, seconds * 1_000, ...jobs);
        measured.push({ variant, write, read, writing: write && outcomes[0], reading: read && outcomes.at(-1) });
      }
    }
  } finally {
    for (const service of services) await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const measured: Measured[] = [];
const load = new Load();
try {
  // There and back, so that no step has the larger database each time.
  for (let done = 0; done < rounds; done++) await round(done % 2 === 0 ? STEPS : STEPS.toReversed());
  report({
    name: 'mixed',
    about:
      'Reads beside 64 connections posting single runs, and beside 2 posting batches of 1,000. Lists are 100 runs of ' +
      'an agent: paced, 20 a second on each of 4 connections; else as fast as answered, on 1.',
    figures: VARIANTS.flatMap((variant) =>
      figuresOf(
        variant,
        measured.filter((one) => one.variant === variant),
        Object.keys(WRITES),
        Object.keys(READS),
      ),
    ),
  });
} finally {
  load.close();
}
