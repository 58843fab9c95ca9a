/** The files of a spool directory: `<name>.jsonl.<state>`, and what stands beside them. */
import { closeSync, fsyncSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, systemCode } from '../../errors.ts';
import type { SpoolFile } from '../protocol.ts';

/**
 * `live`: our clients write it; `active`: older ones do. `sealed` and `ready` are complete, ours and theirs
 * (an older client's own sync would take a `.ready` and drop its changes). `synced`: stored to its end.
 */
export type SpoolState = 'live' | 'active' | 'sealed' | 'ready' | 'synced';

export interface SpoolEntry extends SpoolFile {
  state: SpoolState;
  size: number;
  mtimeMs: number;
  ctimeMs: number;
}

const FILE_NAME = /^(.+)\.jsonl\.(live|active|sealed|ready|synced)$/s;

/** More files than a look takes in; the rest come when these are through. */
const MAX_FILES = 100_000;

const isSynced = (fileName: string): boolean => fileName.endsWith('.synced');

export const isSpoolName = (fileName: string): boolean => FILE_NAME.test(fileName);

export const keyOf = ({ name, inode }: SpoolFile): string => `${inode}/${name}`;

export function pathOf(directory: string, name: string, suffix: SpoolState | 'rejected'): string {
  return join(directory, `${name}.jsonl.${suffix}`);
}

/**
 * The spool files of a directory by their names, which begin with a time.
 *
 * @param synced whether those that are done with, or those that are not
 * @param onUnusable told of what bears such a name and is no file to read
 * @throws the system's error where the directory cannot be read
 */
export function listFiles(
  directory: string,
  synced: boolean,
  onUnusable: (fileName: string, why: string) => void,
): SpoolEntry[] {
  const wanted = readdirSync(directory).filter((fileName) => isSpoolName(fileName) && isSynced(fileName) === synced);
  const names = wanted.sort().slice(0, MAX_FILES);
  const entries: SpoolEntry[] = [];
  for (const fileName of names) {
    try {
      const stat = statSync(join(directory, fileName), { bigint: true });
      if (!stat.isFile()) {
        onUnusable(fileName, 'it is not a file');
        continue;
      }
      const [, name, state] = FILE_NAME.exec(fileName) as unknown as [string, string, SpoolState];
      const { ino, size, mtimeMs, ctimeMs } = stat;
      const numbers = { size: Number(size), mtimeMs: Number(mtimeMs), ctimeMs: Number(ctimeMs) };
      entries.push({ name, state, inode: String(ino), ...numbers });
    } catch (error) {
      // Its client had it acknowledged and removed it, or renamed it.
      if (systemCode(error) !== 'ENOENT') onUnusable(fileName, describe(error));
    }
  }
  return entries;
}

/** Makes names in a directory last; where a system cannot, they may be undone by a power cut, which is harmless here. */
export function syncDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // A rename that is undone is done again.
  }
}
