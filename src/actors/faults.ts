/** What an error of SQLite or of the disk means: to the one who asked, and to the connection. */
import { describe, systemCode, TelemetryError } from '../errors.ts';

const BROKEN = /^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|NOLFS|PROTOCOL)|^(EIO|EROFS|EACCES|EBADF)$/;

export function toTelemetryError(error: unknown): TelemetryError {
  if (error instanceof TelemetryError) return error;
  const code = systemCode(error) ?? '';
  if (isFull(error)) {
    return new TelemetryError('full', 'The disk of the database is full. Free space there, then send this again.', {
      cause: error,
    });
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const why = 'The database is locked by another program. Send this again later.';
    return new TelemetryError('unavailable', why, { cause: error });
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    const why = `The database is damaged (${code}). Stop the service, look at it with local-telemetry verify, then restore a backup.`;
    return new TelemetryError('damaged', why, { cause: error });
  }
  if (isBroken(error)) {
    return new TelemetryError(
      'unavailable',
      `The database cannot be read or written (${code}). Send this again later.`,
      {
        cause: error,
      },
    );
  }
  if (code === 'SQLITE_TOOBIG')
    return new TelemetryError('too_large', 'A value is too large for the database. Shorten it.', { cause: error });
  return new TelemetryError('internal', 'Internal error', {
    cause: error instanceof Error ? error.stack : describe(error),
  });
}

/** Whether the connection is to be closed, opened again and looked at before it is used again. */
export function isBroken(error: unknown): boolean {
  return BROKEN.test(systemCode(error) ?? '');
}

export const isFull = (error: unknown): boolean => /^(SQLITE_FULL|ENOSPC|EDQUOT)$/.test(systemCode(error) ?? '');

export const isBusy = (error: unknown): boolean => (systemCode(error) ?? '').startsWith('SQLITE_BUSY');
