/**
 * npm run bench:gate -- [rounds=5] [seconds=4]
 *
 * List reads beside a saturating poster, with the gate and without it, in one run: two services,
 * side by side in interleaved rounds, the median of the rounds' percentiles.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchService,
  call,
  machineLine,
  makeBatch,
  makeRun,
  median,
  percentile,
  startBenchService,
} from './support.ts';

const rounds = Number(process.argv[2] ?? 5);
const roundMs = Number(process.argv[3] ?? 4) * 1000;
/** Connections that each post as fast as they are answered: single runs, so that COMMIT follows COMMIT. */
const POSTERS = 16;
const ROWS_BEFORE = 20_000;

interface Round {
  p50: number;
  p99: number;
  max: number;
  reads: number;
  writes: number;
}

async function measure({ url }: BenchService): Promise<Round> {
  const until = performance.now() + roundMs;
  const latencies: number[] = [];
  let writes = 0;
  const post = async (): Promise<void> => {
    while (performance.now() < until) {
      await call(`${url}/api/v1/runs`, 'POST', makeRun());
      writes++;
    }
  };
  const read = async (): Promise<void> => {
    while (performance.now() < until)
      latencies.push(await call(`${url}/api/v1/runs?agent_name=renovate&limit=100`, 'GET'));
  };
  await Promise.all([read(), ...Array.from({ length: POSTERS }, post)]);
  const perSecond = 1000 / roundMs;
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: Math.max(...latencies),
    reads: latencies.length * perSecond,
    writes: writes * perSecond,
  };
}

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const variants = [
  { name: 'gate on', off: [] as string[], rounds: [] as Round[] },
  { name: 'gate off', off: ['gate'], rounds: [] as Round[] },
];
const services: BenchService[] = [];
try {
  for (const [index, { off }] of variants.entries()) {
    const service = await startBenchService(join(directory, String(index)), off);
    services.push(service);
    for (let rows = 0; rows < ROWS_BEFORE; rows += 1000)
      await call(`${service.url}/api/v1/runs/batch`, 'POST', makeBatch(1000));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [index, variant] of variants.entries())
      variant.rounds.push(await measure(services[index] as BenchService));
  }
  const rows = variants.map((variant) => {
    const of = (key: keyof Round): number => median(variant.rounds.map((round) => round[key]));
    return {
      name: variant.name,
      p50: of('p50'),
      p99: of('p99'),
      max: of('max'),
      reads: of('reads'),
      writes: of('writes'),
    };
  });
  const [on, off] = rows as [(typeof rows)[0], (typeof rows)[0]];
  process.stdout.write(
    `${machineLine()}\n${rounds} rounds of ${roundMs / 1000} s, interleaved; medians of the rounds\n\n`,
  );
  process.stdout.write('          list p50 ms  p99 ms  max ms  lists/s  posts/s\n');
  for (const { name, p50, p99, max, reads, writes } of rows) {
    const figures = [
      p50.toFixed(1).padStart(11),
      p99.toFixed(1).padStart(7),
      max.toFixed(0).padStart(7),
      reads.toFixed(0).padStart(8),
      writes.toFixed(0).padStart(8),
    ];
    process.stdout.write(`${name.padEnd(9)} ${figures.join(' ')}\n`);
  }
  const ratio = (key: 'p50' | 'p99' | 'max' | 'reads' | 'writes'): string => (off[key] / on[key]).toFixed(2);
  process.stdout.write(
    `\ngate off / gate on: p50 x${ratio('p50')}, p99 x${ratio('p99')}, max x${ratio('max')}, lists/s x${ratio('reads')}, posts/s x${ratio('writes')}\n`,
  );
} finally {
  for (const service of services) await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
