/**
 * kill -9 at random moments of a migration, and again: the result must be the same.
 *
 * node test/migration/kill.ts [cycles=30] [seed]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random, seedFrom } from '../crash/random.ts';
import { makeOlderFile, usualRuns } from '../support/older.ts';
import { filesBeside, freshCopy, judge, migrateInChild } from './cycle.ts';

const RUNS = 20_000;

async function main(cycles: number, seed: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-migration-kill-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const original = join(directory, 'original.sqlite');
  makeOlderFile(original, 'v6', RUNS);
  const random = new Random(seed);
  // How long a migration takes just now: measured again with each that goes to its end.
  let duration = await wholly(freshCopy(original, join(directory, 'cycle')), '');
  say(`${cycles} cycles of ${RUNS} runs, ${Math.round(duration)} ms each where it is not killed, seed ${seed}`);
  let failed = 0;
  let kills = 0;
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const path = freshCopy(original, join(directory, 'cycle'));
    const links = random.chance(0.3) ? ',no-links' : '';
    const moments: string[] = [];
    for (let lives = random.chance(0.3) ? 2 : 1; lives > 0; lives--) {
      // The duration in equal parts, so that every phase is met.
      const moment = ((cycle - 1 + random.next()) / cycles) * duration;
      const { signal } = await migrateInChild(path, links, moment);
      if (signal === null) break;
      moments.push(`${Math.round(moment)} ms (${filesBeside(path).join(' ')})`);
    }
    kills += moments.length;
    // Where the kill came too late, nothing was left to do.
    const last = await wholly(path, links);
    if (last > duration / 4) duration = last;
    const wrong = judge(path, original, usualRuns('v6', RUNS));
    if (wrong.length > 0) failed++;
    const killed = moments.length > 0 ? `killed at ${moments.join(', then ')}` : 'ended before it was killed';
    say(`cycle ${cycle}: ${killed}; ${wrong.join('; ') || 'the same result'}`);
  }
  say(
    failed > 0
      ? `FAILED: ${failed} of ${cycles} cycles`
      : `ok: ${kills} kills in ${cycles} cycles, always the same result`,
  );
  return failed > 0 ? 1 : 0;
}

/** @returns how long it took, in milliseconds */
async function wholly(path: string, links: string): Promise<number> {
  const { took } = await migrateInChild(path, links);
  return took?.milliseconds ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(Number(process.argv[2] ?? 30), seedFrom(process.argv[3]));
