/**
 * npm run bench:ablation -- [--rounds 5] [--seconds 2]
 *
 * Each technique switched off in turn. Every figure is on / off, or off / on where less is better: above 1, the technique
 * pays. Some also have a price, which is the figure below 1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binding } from './ablation/binding.ts';
import type { Bench } from './ablation/compare.ts';
import { gate } from './ablation/gate.ts';
import { groupCommit } from './ablation/group-commit.ts';
import { indexes } from './ablation/indexes.ts';
import { json } from './ablation/json.ts';
import { predicate } from './ablation/predicate.ts';
import { rollups } from './ablation/rollups.ts';
import { Load } from './load/handle.ts';
import { type Figure, readOptions, report } from './report.ts';
import { IDS, SOURCE } from './runs.ts';

const { rounds, seconds } = readOptions({ rounds: 5, seconds: 2 });
const TECHNIQUES: readonly ((bench: Bench) => Figure[] | Promise<Figure[]>)[] = [
  groupCommit,
  gate,
  predicate,
  json,
  rollups,
  binding,
  indexes,
];

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const load = new Load();
try {
  const figures: Figure[] = [];
  for (const measure of TECHNIQUES) {
    const folder = mkdtempSync(join(directory, 'technique-'));
    figures.push(...(await measure({ directory: folder, rounds, seconds, load })));
    rmSync(folder, { recursive: true });
  }
  report({
    name: 'ablation',
    about:
      `Each technique by itself, on and off; ${SOURCE}, ids ${IDS}, DELETE/FULL. ${rounds} rounds, in which both take turns. ` +
      'Above 1, it pays; what a technique costs is below 1. Each index by itself: bench:schema.',
    figures,
  });
} finally {
  load.close();
  rmSync(directory, { recursive: true, force: true });
}
