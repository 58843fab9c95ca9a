/** One life of a migration that is killed, and what must be there after the next one. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { OlderRun } from '../support/older-runs.ts';
import { differences } from '../support/older-verdict.ts';

const CHILD = fileURLToPath(new URL('../support/older-child.ts', import.meta.url));

export interface Ended {
  signal: NodeJS.Signals | null;
  /** What it took, `rss` in bytes; undefined where it was killed before its end. */
  took: { steps: number; milliseconds: number; copyMilliseconds: number; rss: number } | undefined;
}

/**
 * Migrates in a process of its own.
 *
 * @param moment where it kills itself, see test/support/older-child.ts
 * @param killAfterMs when it is killed from outside, counted from its beginning
 */
export async function migrateInChild(path: string, moment = '', killAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, [CHILD, path, moment], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    if (line === 'begins' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  }
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the child ended with ${code ?? signal}`);
  return { signal, took: last.startsWith('{') ? (JSON.parse(last) as Ended['took']) : undefined };
}

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A folder with a fresh copy of a database, alone. @returns the copy's path */
export function freshCopy(original: string, folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const path = join(folder, 't.sqlite');
  copyFileSync(original, path);
  return path;
}

/** The files of the database's folder, with the time of the backup left out. */
export const filesBeside = (path: string): string[] =>
  readdirSync(dirname(path))
    .map((name) => name.replace(/-\d{8}T\d{6}Z/, ''))
    .sort();

/** What is wrong once a migration has gone to its end: with the runs, the backup, or files that are left. */
export function judge(path: string, original: string, runs: Iterable<OlderRun>): string[] {
  const wrong = differences(path, runs);
  const beside = readdirSync(dirname(path)).filter((name) => name !== basename(path));
  if (beside.length !== 1 || !beside[0]?.endsWith('.backup')) return [...wrong, `left: ${beside.join(', ')}`];
  if (digestOf(join(dirname(path), beside[0])) !== digestOf(original))
    wrong.push('the backup is not the older database');
  return wrong;
}
