/** Copies a database over a connection to it: the one way of every backup. */
import { rmSync } from 'node:fs';
import { TelemetryError } from '../errors.ts';
import type { Connection } from './database.ts';
import { isFull } from './faults.ts';

export interface CopyOptions {
  /** Pages copied at once; between two such pieces the thread does other work. */
  pages: number;
  /** How long a foreign lock is waited for, in milliseconds. */
  timeoutMs: number;
  /** Told after each piece; what it throws ends the copy. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Copies into an empty file. Commits of this very connection get into the copy meanwhile; one of any other makes it begin anew.
 *
 * @returns the pages of the copy
 * @throws TelemetryError "full" for the copy's disk, "unavailable" where another program has the database locked; what
 *   `onProgress` throws; other errors of SQLite. Nothing of the copy stays then
 */
export async function copyDatabase(db: Connection, path: string, options: CopyOptions): Promise<number> {
  const { pages, timeoutMs, onProgress } = options;
  const deadline = performance.now() + timeoutMs;
  const progress = ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }): number => {
    onProgress?.(totalPages - remainingPages, totalPages);
    return pages;
  };
  try {
    for (;;) {
      const { totalPages } = await db.backup(path, { progress });
      // The library takes a database that is locked for one without pages, and is done.
      if (totalPages > 0) return totalPages;
      if (performance.now() > deadline) {
        throw new TelemetryError('unavailable', 'The database is locked by another program. Run this again later.');
      }
      await new Promise(setImmediate);
    }
  } catch (error) {
    for (const made of [path, `${path}-journal`]) rmSync(made, { force: true });
    if (!isFull(error)) throw error;
    throw new TelemetryError(
      'full',
      `There is no room for the copy ${path}. Free space there, or name another place.`,
      {
        cause: error,
      },
    );
  }
}
