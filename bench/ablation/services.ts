/** Two services of their own in each round, one without a technique: fresh ones, for the one that stores more would grow more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRun } from '../runs.ts';
import { type BenchService, fill, startBenchService } from '../support.ts';
import { type Bench, ROWS_BEFORE } from './compare.ts';

const WARMING_MS = 500;

type Measure = (service: BenchService) => Promise<void>;

/** @param measures with the technique and without it, in each round */
export async function besides(
  { directory, rounds, load }: Bench,
  off: string,
  on: Measure,
  without: Measure,
): Promise<void> {
  const variants: [string[], Measure][] = [
    [[], on],
    [[off], without],
  ];
  for (let round = 0; round < rounds; round++) {
    for (const [techniques, measure] of round % 2 === 0 ? variants : variants.toReversed()) {
      const folder = mkdtempSync(join(directory, 'service-'));
      const service = await startBenchService(folder, techniques);
      try {
        await fill(service.url, ROWS_BEFORE, () => makeRun());
        await load.run(service.url, WARMING_MS, { kind: 'single', connections: 32 });
        await measure(service);
      } finally {
        await service.stop();
        rmSync(folder, { recursive: true });
      }
    }
  }
}
