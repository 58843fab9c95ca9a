/** Which database a file is, whatever its version, and how one that nobody has open is made readable. */
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { type Connection, openReadonly } from '../actors/database.ts';
import { BESIDE, isLocked, statOf } from './files.ts';
import { openClosed } from './open.ts';

const BUSY_TIMEOUT_MS = 1_000;

/** @returns the schema version, 0 where none is recorded beside the runs; undefined for a database that is not ours */
export function schemaVersion(db: Connection): number | undefined {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  if (!names.includes('agent_runs')) return undefined;
  if (!names.includes('schema_migrations')) return 0;
  return Number(db.prepare('SELECT max(version) FROM schema_migrations').pluck().get() ?? 0);
}

export const countRuns = (db: Connection): number =>
  db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;

/** When the schema was made, as the database says; empty where it says nothing. Its copies say the same. */
export function madeAt(db: Connection): string {
  const columns = db.prepare("SELECT name FROM pragma_table_info('schema_migrations')").pluck().all();
  if (!columns.includes('applied_at')) return '';
  const time = db.prepare('SELECT CAST(min(applied_at) AS TEXT) FROM schema_migrations').pluck().get();
  return typeof time === 'string' ? time : '';
}

/**
 * A connection for reading a file that no service has open, with what a crash left beside it brought in first.
 *
 * @throws TelemetryError "refused" where the file is no database of ours, or cannot be read
 */
export function openSettled(path: string): Connection {
  try {
    return opened(path);
  } catch (error) {
    if (error instanceof TelemetryError) throw error;
    // A crash left a hot journal (or WAL), which only a writable connection may bring in.
    if (!/^SQLITE_(READONLY|CANTOPEN)/.test(systemCode(error) ?? '')) throw unreadable(path, error);
  }
  try {
    recover(path);
    return opened(path);
  } catch (error) {
    throw error instanceof TelemetryError ? error : unreadable(path, error);
  }
}

/**
 * Brings in what a crash left beside a database whose lock the caller has, so that it can be read; nothing is done where
 * there is nothing left.
 *
 * @throws TelemetryError "refused" where that cannot be done
 */
export function recoverHeld(path: string): void {
  refuseTwoNames(path);
  if (!BESIDE.some((suffix) => statOf(path + suffix))) return;
  try {
    recover(path);
  } catch (error) {
    if (!/^SQLITE_(CORRUPT|NOTADB)/.test(systemCode(error) ?? '')) throw unreadable(path, error);
  }
}

/**
 * A restore that was killed leaves the database with two names, and what lay beside it under the second.
 *
 * @throws TelemetryError "refused" where a database has more than one name
 */
export function refuseTwoNames(path: string): void {
  const names = statOf(path)?.nlink ?? 1;
  if (names === 1) return;
  const why = `${path} has ${names} names (hard links). If a restore was interrupted, run it again; else give it one name, with cp instead of ln.`;
  throw new TelemetryError('refused', why);
}

/** Rolls back, or brings in, what a crash left beside a file. @throws SQLite's error */
export function recover(path: string): void {
  const db = openClosed(path);
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } finally {
    db.close();
  }
}

function opened(path: string): Connection {
  const db = openReadonly(path, BUSY_TIMEOUT_MS);
  try {
    if (schemaVersion(db) !== undefined) return db;
    throw new TelemetryError('refused', `${path} is a SQLite database, but holds no runs. Give a telemetry database.`);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What an error of SQLite means to whoever wants to read a file. */
export function unreadable(path: string, error: unknown): TelemetryError {
  const code = systemCode(error) ?? '';
  const why = code.startsWith('SQLITE_NOTADB')
    ? 'is not a SQLite database. Give a telemetry database.'
    : code.startsWith('SQLITE_CORRUPT')
      ? `is damaged (${describe(error)}). local-telemetry verify says more; local-telemetry restore puts a backup in its place.`
      : isLocked(error)
        ? 'is locked by another program. Stop it, or run this again later.'
        : `cannot be read (${describe(error)}). Run this as a user who may; if that is so, look at the disk.`;
  return new TelemetryError('refused', `${path} ${why}`, { cause: error });
}
