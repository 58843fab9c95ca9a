/** What a kill left beside the database: harmless, but it takes room, or says something. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { backupFolder } from '../../offline/backup-place.ts';
import type { Check } from '../../offline/check.ts';
import { bytesOf, count } from '../../offline/figures.ts';
import { statOf } from '../../offline/files.ts';
import type { Look } from './look.ts';
import { checkOf, type Part } from './parts.ts';

const MEANINGS: readonly (readonly [ending: RegExp, what: string, remedy: string])[] = [
  [
    /\.partial$/,
    'an unfinished backup',
    'Unless a backup is under way, remove it; a backup there removes it after a day',
  ],
  [/\.damaged$/, 'a backup that failed its checks', 'Run local-telemetry verify, then remove it'],
  [/\.migrating$/, 'an unfinished migration', 'Unless one is under way, run local-telemetry migrate again'],
  [
    /\.verifying$/,
    'the copy of a verify that was killed',
    'Unless one is under way, remove it; the next verify does it, too',
  ],
  [/\.replaying$/, 'an unfinished replay', 'Unless one is under way, run local-telemetry replay again'],
  [/\.restoring$/, 'an unfinished restore', 'Run local-telemetry restore again, with the same backup'],
];

export function checkLeftovers(look: Look, lockHeld: boolean): Check {
  const { path } = look;
  const runs = look.service !== undefined || lockHeld || look.socketProblem !== undefined;
  const parts: Part[] = [];
  for (const suffix of ['-journal', '-wal']) {
    if (runs || (statOf(path + suffix)?.size ?? 0) === 0) continue;
    const line = `${basename(path)}${suffix}: the service ended by a crash; the next start recovers it`;
    parts.push({ state: 'warning', line, remedy: 'Never remove that file; start the service' });
  }
  const own = (name: string): boolean => name.startsWith(`${basename(path)}.`);
  for (const folder of new Set([dirname(path), backupFolder(path)])) {
    for (const name of namesIn(folder)) {
      if (folder === dirname(path) && !own(name)) continue;
      const found = MEANINGS.find(([ending]) => ending.test(name));
      const size = bytesOf(statOf(join(folder, name))?.size ?? 0);
      if (found)
        parts.push({ state: 'warning', line: `${name} (${size}): ${found[1]}`, remedy: `${name}: ${found[2]}` });
      else if (/\.replaced-[^.]+Z(-\d+)?$/.test(name))
        parts.push({ state: 'ok', line: `${name} (${size}): kept by a restore` });
    }
  }
  const left = parts.filter(({ state }) => state !== 'ok');
  // One a line, the first of several too.
  if (left.length < 2) return checkOf('leftovers', parts);
  return checkOf('leftovers', [{ state: 'warning', line: count(left.length, 'file') }, ...parts]);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // There is none, or it is not ours to read; other checks say so.
    return [];
  }
}
