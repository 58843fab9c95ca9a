/** The connections of this room that may write: to a file that nobody else has open, and to none at all. */
import Database from 'better-sqlite3';
import type { Connection } from '../actors/database.ts';

const BUSY_TIMEOUT_MS = 1_000;

/**
 * A writable connection to a closed file: a copy, or a database whose lock the caller holds. What a crash left
 * beside the file, a hot journal or a WAL, is brought into it by the first statement.
 */
export function openClosed(path: string): Connection {
  const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  db.pragma('synchronous = FULL');
  db.pragma('trusted_schema = OFF');
  return db;
}

/** A database in memory, which is gone when it is closed. */
export const openNowhere = (): Connection => new Database(':memory:');
