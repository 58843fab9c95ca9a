/**
 * A large database of the real shape: how fast it is migrated, and whether memory grows with it. Every run is compared.
 *
 * node test/migration/memory.ts [runs=200000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOlderFile, usualRuns } from '../support/older.ts';
import { freshCopy, judge, migrateInChild } from './cycle.ts';

const SMALL = 1_000;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

async function main(runs: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-migration-memory-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  let failed = false;
  for (const count of [SMALL, runs]) {
    const original = join(directory, `${count}.sqlite`);
    makeOlderFile(original, 'v6', count);
    const path = freshCopy(original, join(directory, 'cycle'));
    const { took } = await migrateInChild(path);
    const wrong = judge(path, original, usualRuns('v6', count));
    failed ||= wrong.length > 0 || !took;
    const { milliseconds = NaN, copyMilliseconds = NaN, rss = NaN } = took ?? {};
    const speed = (time: number): string => `${Math.round(count / (time / 1000))} runs/s`;
    say(
      `${count} runs: ${Math.round(milliseconds)} ms, ${speed(milliseconds)}; copying ${speed(copyMilliseconds)}; ` +
        `peak of memory ${megabytes(rss)}; ${wrong.join('; ') || 'every run as it must be'}`,
    );
  }
  return failed ? 1 : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(Number(process.argv[2] ?? 200_000));
