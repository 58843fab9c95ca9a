/**
 * The change counter in a SQLite file's header (bytes 24 to 27, big endian; SQLite file format 1.3.6).
 * Every transaction in rollback mode adds one to it, so a write behind our back shows. In WAL mode
 * it stands still and says nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors.ts';

/**
 * HAZARD: opens the file with `fs`, so only before this process has any connection to it (../database.ts).
 *
 * @returns the counter, 0 where there is no file or no header yet
 */
export function readChangeCounter(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(4);
    return readSync(descriptor, bytes, 0, 4, 24) === 4 ? bytes.readUInt32BE(0) : 0;
  } finally {
    closeSync(descriptor);
  }
}

/** The counter after one more commit; it wraps at 2^32. */
export const nextChangeCounter = (counter: number): number => (counter + 1) % 2 ** 32;
