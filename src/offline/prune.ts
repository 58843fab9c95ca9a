/** Old backups of a folder go, and only those of the same database. */
import { closeSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isTimed, type Place } from './backup-place.ts';
import { linkStatOf } from './files.ts';

/** The application id in the header of a database (SQLite file format 1.3), where a backup has its mark. */
const MARK_AT = 68;

/**
 * Removes the oldest backups of a folder: those with names made of a time, and with the mark of the one just made. Another
 * database of the same name has another mark, and what is no backup has none.
 *
 * @param newest the backup just made, which stays, and is one of `keep`
 * @param keep how many stay
 * @returns the paths of the removed backups
 * @throws the system's error where the folder cannot be listed, or one cannot be removed
 */
export function prune(newest: string, { folder, stem }: Place, keep: number): string[] {
  const mark = markIn(newest);
  const names = readdirSync(folder).filter((name) => isTimed(name, stem) && name !== basename(newest));
  const others = names.map((name) => join(folder, name)).filter((path) => markIn(path) === mark);
  const removed = others
    .sort()
    .toReversed()
    .slice(keep - 1);
  for (const path of removed) rmSync(path, { force: true });
  return removed.toReversed();
}

/** HAZARD: opens the file with `fs`; a backup is open nowhere in this process. */
function markIn(path: string): number | undefined {
  const bytes = Buffer.alloc(4);
  let descriptor: number | undefined;
  try {
    if (!linkStatOf(path)?.isFile()) return undefined;
    descriptor = openSync(path, 'r');
    return readSync(descriptor, bytes, 0, 4, MARK_AT) === 4 ? bytes.readInt32BE() : undefined;
  } catch {
    // What cannot be read is nobody's, and stays.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
