/** What lies in a folder: for saying how large it is, and that nothing of it has changed. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Its files, folders and links by path, relative to it, each with what changes when it is written to. */
export function treeOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const { mode, uid, gid, size, mtimeMs } = lstatSync(join(folder, path));
    found.set(path, [mode, uid, gid, size, mtimeMs].join(' '));
  }
  return found;
}

export function bytesOf(folder: string): number {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths.reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0);
}

/** Paths that are in one only, or not the same in both. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((path) => before.get(path) !== after.get(path));
}
