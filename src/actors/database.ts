import Database from 'better-sqlite3';
import type { DatabaseConfig } from '../config.ts';

export type Connection = Database.Database;

// HAZARD, for every module: never open a live database file with `fs`, `node:sqlite` or a second
// copy of better-sqlite3. Closing any descriptor of the file in this process drops SQLite's POSIX
// locks; a foreign commit then succeeds and vanishes. `stat` is safe.

/**
 * How long SQLite itself waits for a foreign lock, at most; whoever wants to wait longer tries again.
 * A thread inside SQLite cannot be stopped, and the process not end before it.
 */
const SLICE_MS = 250;

/** The pragmas as SQLite reports them back, in the words of the configuration. */
export interface Pragmas {
  journalMode: string;
  synchronous: string;
  sqliteVersion: string;
}

const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA'];

/** SQL: a row's id; its digits where a number would not hold it, which compare with ids as the number does. Foreign programs give such. */
export const ROW_ID = `iif(id BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}, id, CAST(id AS TEXT))`;

/** The one writable connection of a service; only the writer thread, holding the lock, may call this. */
export function openWritable(config: DatabaseConfig): Connection {
  const db = new Database(config.path, { timeout: config.busyTimeoutMs });
  try {
    // A new file, before anything is in it: retention can give its pages back. In others it would write for nothing.
    if (db.pragma('page_count', { simple: true }) === 0) db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma(`journal_mode = ${config.journalMode}`);
    db.pragma(`synchronous = ${config.synchronous}`);
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma('temp_store = MEMORY');
    db.pragma('cache_size = -65536');
    // Without spilling, the file's exclusive lock is needed at COMMIT only, which the gate covers.
    db.pragma('cache_spill = OFF');
    db.pragma(`busy_timeout = ${Math.min(SLICE_MS, config.busyTimeoutMs)}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that cannot write. */
export function openReadonly(path: string, busyTimeoutMs: number): Connection {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: Math.min(SLICE_MS, busyTimeoutMs) });
  db.pragma('query_only = ON');
  db.pragma('trusted_schema = OFF');
  db.pragma('temp_store = MEMORY');
  db.pragma('cache_size = -32768');
  return db;
}

export function readPragmas(db: Connection): Pragmas {
  const level = db.pragma('synchronous', { simple: true }) as number;
  return {
    journalMode: String(db.pragma('journal_mode', { simple: true })).toUpperCase(),
    synchronous: SYNCHRONOUS[level] ?? String(level),
    sqliteVersion: String(db.prepare('SELECT sqlite_version()').pluck().get()),
  };
}
