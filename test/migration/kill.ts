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
  const whole = (await migrateInChild(freshCopy(original, join(directory, 'cycle')))).took;
  const duration = whole?.milliseconds ?? 0;
  say(`${cycles} cycles of ${RUNS} runs, ${Math.round(duration)} ms each where it is not killed, seed ${seed}`);
  let failed = 0;
  let kills = 0;
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const path = freshCopy(original, join(directory, 'cycle'));
    const links = random.chance(0.3) ? ',no-links' : '';
    const moments: string[] = [];
    for (let killed = true; killed;) {
      // The whole duration in equal parts, so that every phase is met.
      const part = ((cycle - 1 + random.next()) / cycles) * duration * 1.05;
      const ended = await migrateInChild(path, links, moments.length < 2 ? part : undefined);
      killed = ended.signal !== null;
      if (killed) moments.push(`${Math.round(part)} ms (${filesBeside(path).join(' ')})`);
      if (killed && random.chance(0.7)) break;
    }
    kills += moments.length;
    await migrateInChild(path, links);
    const wrong = judge(path, original, usualRuns('v6', RUNS));
    if (wrong.length > 0) failed++;
    say(
      `cycle ${cycle}: killed at ${moments.join(', then ') || 'no moment'}; ${wrong.join('; ') || 'the same result'}`,
    );
  }
  say(
    failed > 0
      ? `FAILED: ${failed} of ${cycles} cycles`
      : `ok: ${kills} kills in ${cycles} cycles, always the same result`,
  );
  return failed > 0 ? 1 : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(Number(process.argv[2] ?? 30), seedFrom(process.argv[3]));
