/** Makes a directory and those above it that are missing. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Step by step: Node's own recursive way never returns where a directory is there but takes nothing
 * (/proc), and hides the reason on a disk that is read-only.
 *
 * @returns the topmost directory that was made; undefined where all were there
 * @throws the system's error
 */
export function makeDirectory(path: string): string | undefined {
  try {
    return makeOne(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    const parent = makeDirectory(dirname(path));
    // Once more only: a parent that takes nothing says ENOENT for ever.
    const own = makeOne(path);
    return parent ?? own;
  }
}

function makeOne(path: string): string | undefined {
  try {
    mkdirSync(path);
    return path;
  } catch (error) {
    // Perhaps by someone else in this very moment.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(path).isDirectory()) return undefined;
    throw error;
  }
}
