/**
 * npm run bench:reads -- --rounds 5 --seconds 1 --rows 1000000
 * npm run bench:reads -- --beside ../other: see reads-beside.ts
 *
 * What a read takes in a database a hundred times as large: three services at the same time, with a hundredth, a tenth and
 * all of the rows; each read asked of one after the other, on one connection. The figure is the median at full size by the
 * median at the smallest, of each round. Then what those wait who ask without pause: see reads-waiting.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeBesides } from './beside.ts';
import { Load } from './load/handle.ts';
import { BLOCK, type Database, makeDatabase } from './reads-data.ts';
import { readsBeside } from './reads-beside.ts';
import { type Read, readsOf } from './reads-paths.ts';
import { waits } from './reads-waiting.ts';
import { digits, type Figure, readOptions, report } from './report.ts';
import { type BenchService, median, startBenchService } from './support.ts';

const besides = takeBesides();
if (besides) {
  await readsBeside(besides);
  process.exit();
}
const { rounds, seconds, rows } = readOptions({ rounds: 5, seconds: 1, rows: 1_000_000 });
const smallest = rows / 100;
if (smallest % BLOCK !== 0) throw new RangeError(`--rows must be a multiple of ${100 * BLOCK}`);

interface Asked {
  read: Read;
  /** By database, the smallest first. */
  of: { url: string; paths: string[]; p50s: number[] }[];
}

async function askedOf(databases: readonly Database[]): Promise<Asked[]> {
  const reads: Read[][] = [];
  for (const database of databases) reads.push(await readsOf(database));
  return (reads[0] as Read[]).map((read, index) => ({
    read,
    of: databases.map(({ service: { url } }, which) => ({
      url,
      paths: (reads[which]?.[index] as Read).paths,
      p50s: [],
    })),
  }));
}

function figureOf({ read: { name, grows }, of }: Asked): Figure {
  const [small, middle, full] = of.map(({ p50s }) => p50s) as [number[], number[], number[]];
  return {
    name,
    rounds: full.map((value, round) => value / (small[round] as number)),
    unit: 'x',
    ...(!grows && { atMost: 1.5 }),
    of: `${[small, middle, full].map((p50s) => digits(median(p50s))).join(' / ')} ms`,
  };
}

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const services: BenchService[] = [];
const load = new Load();
try {
  const now = Date.now();
  const databases: Database[] = [];
  for (const runs of [smallest, rows / 10, rows]) {
    const service = await startBenchService(join(directory, String(runs)), []);
    services.push(service);
    databases.push(await makeDatabase(service, runs, { smallest, now }));
  }
  const all = await askedOf(databases);
  for (let round = 0; round < rounds; round++) {
    for (const { of } of all) {
      for (const { url, paths, p50s } of of) {
        const [{ latencies }] = await load.run(url, seconds * 1_000, { kind: 'get', connections: 1, paths });
        p50s.push(median(latencies));
      }
    }
  }
  // Last, for a hot writer makes the database larger.
  const waiting = await waits(load, databases[1] as Database, rounds, seconds);
  const sizes = databases.map(({ runs }) => runs.toLocaleString('en')).join(' / ');
  report({
    name: 'reads',
    about:
      `Reads of ${sizes} runs, one connection: p50 of the largest by p50 of the smallest. Then several who ask the middle ` +
      'one without pause: p99 by p50, of p50 / p99 / p99.9 / longest.',
    figures: [...all.map(figureOf), ...waiting],
  });
} finally {
  load.close();
  for (const service of services) await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
