/** Looks at the file of a database without changing a byte of it: whose it is, and of what version. */
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { systemCode, TelemetryError } from '../../errors.ts';
import type { Connection } from '../database.ts';
import type { Migration } from './migrate.ts';
import { unreadable } from './older/refusal.ts';
import { FIRST_VERSION, recordedVersion } from './older/version.ts';
import { objectionTo, tablesOf } from './older/whose.ts';

export interface Found {
  /** The recorded version; 0 where none is, and for a file that is missing or empty (a kill between open and first commit leaves that). */
  version: number;
  /** Of an earlier telemetry service: it must be migrated before it can be used. */
  older: boolean;
}

/**
 * @returns the version of a database that can be opened as it is, or can be made: 0
 * @throws TelemetryError "refused" for a database that is not ours to open, saying what to do
 */
export function inspect(path: string, migrations: readonly Migration[]): number {
  const { version, older } = look(path, migrations);
  if (!older) return version;
  const has = version === 0 ? 'records no schema version' : `has schema version ${version}`;
  throw refused(
    path,
    `${has}: it is of an earlier telemetry service. Run local-telemetry migrate, with --dry-run first.`,
  );
}

/** @throws TelemetryError "refused" for a database that is neither ours nor of an earlier service */
export function look(path: string, migrations: readonly Migration[]): Found {
  const found = statSync(path, { throwIfNoEntry: false });
  if ((!found || found.nlink > 1) && statSync(`${path}.restoring`, { throwIfNoEntry: false })) {
    throw refused(
      path,
      'is just being restored, or that was interrupted. Run local-telemetry restore again: it goes on.',
    );
  }
  if (found && !found.isFile()) throw refused(path, 'is not a file. Set TELEMETRY_DB_PATH to a file.');
  if (found && found.nlink > 1) {
    const why = `has ${found.nlink} names (hard links). Lock and journal lie beside a name, so under another one a second writer could start: give it one name, with cp instead of ln.`;
    throw refused(path, why);
  }
  if (!found || found.size === 0) return { version: 0, older: false };
  try {
    return lookWith(path, migrations, true);
  } catch (error) {
    // A crash left a hot journal (or WAL) that only a writable connection may recover.
    if (/^SQLITE_(READONLY|CANTOPEN)/.test(systemCode(error) ?? '')) return lookWith(path, migrations, false);
    throw error;
  }
}

function lookWith(path: string, migrations: readonly Migration[], readonly: boolean): Found {
  let db: Connection | undefined;
  try {
    db = new Database(path, { readonly, timeout: 1000 });
    return foundIn(db, path, migrations);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code.startsWith('SQLITE_ERROR')) throw unreadable(path, error);
    if (code !== 'SQLITE_NOTADB') throw error;
    throw refused(
      path,
      'is not a SQLite database. Set TELEMETRY_DB_PATH to a telemetry database or to a new file.',
      error,
    );
  } finally {
    db?.close();
  }
}

function foundIn(db: Connection, path: string, migrations: readonly Migration[]): Found {
  if (tablesOf(db).length === 0) return { version: 0, older: false };
  const objection = objectionTo(db, migrations.at(-1)?.version ?? 0);
  if (objection !== undefined) throw refused(path, objection);
  const version = recordedVersion(db);
  return { version, older: version < FIRST_VERSION };
}

/** @throws TelemetryError "refused" for a version that must be migrated before it can be read */
export function requireCurrent(path: string, version: number, migrations: readonly Migration[]): void {
  if (version === migrations.at(-1)?.version) return;
  const has = version === 0 ? 'is empty.' : `has schema version ${version}.`;
  throw refused(path, `${has} Start the service on it, or run local-telemetry migrate, first.`);
}

function refused(path: string, why: string, cause?: unknown): TelemetryError {
  return new TelemetryError('refused', `The database ${path} ${why} It was not changed.`, { cause });
}
