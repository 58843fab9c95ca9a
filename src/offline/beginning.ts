/** What a file is by its first bytes, before SQLite is asked. */
import { closeSync, openSync, readSync } from 'node:fs';
import { describe } from '../errors.ts';
import { lookedAt } from './files.ts';

const MAGIC = 'SQLite format 3\0';

/**
 * Why a file cannot be a backup, to be put behind its name; undefined where it may be one.
 *
 * @throws TelemetryError "refused" where this user may not look
 */
export function objection(file: string): string | undefined {
  const found = lookedAt(file);
  if (!found) return 'is not there. Give the path of a backup.';
  if (!found.isFile()) return 'is not a file. Give the path of a backup.';
  let start: Buffer;
  try {
    start = beginningOf(file);
  } catch (error) {
    return `cannot be read (${describe(error)}). Run this as a user who may.`;
  }
  if (start[0] === 0x1f && start[1] === 0x8b) return 'is compressed: gunzip it first.';
  return start.toString('latin1') === MAGIC ? undefined : 'is not a SQLite database. Give a backup.';
}

/** HAZARD: opens the file with `fs`, so only before this process has a connection to it. */
function beginningOf(file: string): Buffer {
  const bytes = Buffer.alloc(MAGIC.length);
  const descriptor = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
