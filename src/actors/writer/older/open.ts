/** Every connection of a migration: to the older database, to the new one, and for a trial. */
import Database from 'better-sqlite3';
import type { Connection } from '../../database.ts';

/** How long a program that has the older database locked is waited for. */
const PATIENCE_MS = 5_000;
const CACHE = 'cache_size = -65536';

/** A connection to the older database that cannot write. */
export function openToRead(path: string): Connection {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: PATIENCE_MS });
  return withPragmas(db, ['query_only = ON', 'trusted_schema = OFF']);
}

/** A connection to the older database that can recover and lock it. Nothing is ever written through it. */
export function openToLock(path: string): Connection {
  const db = new Database(path, { fileMustExist: true, timeout: PATIENCE_MS });
  return withPragmas(db, ['trusted_schema = OFF']);
}

/**
 * A connection to the new database while it is built. Nothing is synced: what fails, or dies, is thrown away. The journal in
 * memory stays small, for it keeps only pages that were there before; indexes are sorted in temporary files.
 */
export function openToBuild(path: string): Connection {
  const db = new Database(path);
  return withPragmas(db, [
    'auto_vacuum = INCREMENTAL',
    'journal_mode = MEMORY',
    'synchronous = OFF',
    'locking_mode = EXCLUSIVE',
    'foreign_keys = OFF',
    'trusted_schema = OFF',
    'cache_spill = ON',
    CACHE,
  ]);
}

/** A connection to the new database once it is built, whose next commit is its next one: setting auto_vacuum would be one too. */
export function openToSeal(path: string): Connection {
  return withPragmas(new Database(path), ['journal_mode = MEMORY', 'synchronous = OFF']);
}

/** A database without a name, to try things out: in memory, and in a temporary file beyond the cache. */
export function openForTrial(): Connection {
  return withPragmas(new Database(''), ['foreign_keys = OFF', CACHE]);
}

function withPragmas(db: Connection, pragmas: readonly string[]): Connection {
  try {
    for (const pragma of pragmas) db.pragma(pragma);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
