/** Why an older database is not migrated: each reason with its remedy. */
import { describe, systemCode, TelemetryError } from '../../../errors.ts';
import { isBusy } from '../../faults.ts';

export function refused(path: string, why: string, cause?: unknown): TelemetryError {
  return new TelemetryError('refused', `The database ${path} ${why} It was not changed.`, { cause });
}

export const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

export function damaged(path: string, problems: readonly string[], cause?: unknown): TelemetryError {
  const why =
    `is damaged (${problems.slice(0, 3).join('; ')}). Restore a backup of it, or recover what can be read with the sqlite3 program ` +
    `(sqlite3 <database> .recover | sqlite3 <new file>) and migrate that.`;
  return refused(path, why, cause);
}

export function noSpace(path: string, needed: number, free: number): TelemetryError {
  const why = `needs ${megabytes(needed)} of free space beside it to be migrated, and there are ${megabytes(free)}. Free space there, or move it to a larger disk.`;
  return refused(path, why);
}

/** What its schema needs and SQLite does not have by itself: a collation, a function, a module. Or a view that cannot be read. */
export function unreadable(path: string, error: unknown): TelemetryError {
  const why =
    `has something in it that cannot be read here (${describe(error)}): a collation, a function, a view or a generated column of the program that made it. ` +
    'Make a copy of it, remove there the index, view, trigger or column that needs it, or make the table anew without it, and use the copy.';
  return refused(path, why, error);
}

/** What an error of SQLite or of the disk means while a database is migrated. */
export function toRefusal(path: string, error: unknown): unknown {
  if (error instanceof TelemetryError) return error;
  const code = systemCode(error) ?? '';
  if (isBusy(error) || code.startsWith('SQLITE_LOCKED')) {
    return refused(
      path,
      'is in use by another program. Stop the earlier service and whatever else has it open, then try again.',
      error,
    );
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return refused(
      path,
      'was not migrated, for the disk is full (its folder, or the one for temporary files). Free space there and try again.',
      error,
    );
  }
  if (code.startsWith('SQLITE_CORRUPT')) return damaged(path, [describe(error)], error);
  if (code === 'SQLITE_NOTADB') {
    return refused(
      path,
      'is not a SQLite database. Set TELEMETRY_DB_PATH to a telemetry database or to a new file.',
      error,
    );
  }
  if (code.startsWith('SQLITE_ERROR')) return unreadable(path, error);
  if (code === 'EBUSY' || code === 'EXDEV') {
    const why = `cannot be given another name (${describe(error)}): in a container, it is mounted as a single file. Mount the folder that it lies in, not the file, then try again.`;
    return refused(path, why, error);
  }
  if (/^(SQLITE_(READONLY|CANTOPEN|PERM|IOERR)|E[A-Z]+$)/.test(code)) {
    const why = `cannot be migrated: ${describe(error)}. Check that this user may read and write it and its folder, and that the disk is sound.`;
    return refused(path, why, error);
  }
  return error;
}
