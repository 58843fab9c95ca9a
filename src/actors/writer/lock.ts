/**
 * The process lock: an exclusive transaction on a small SQLite file, held for life and freed by the
 * kernel however the process ends. Its holder is named in a file beside it, for nobody may open the
 * lock file itself with `fs` (see ../database.ts).
 */
import { chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { makeDirectory } from '../../directory.ts';
import { describe, systemCode, TelemetryError } from '../../errors.ts';
import { realPath } from './real-path.ts';
import { DATABASE, LOCK_FILE, type Setting } from './remedies.ts';
import { requireOpenWay, requireWritableFile } from './writable.ts';

/** How long a starting service waits for one that is just ending. */
const PATIENCE_MS = 500;

interface Held {
  path: string;
  /** Referenced for life: as a mere constant it was garbage-collected, and a second writer got in. */
  db: Database.Database;
  identity: string;
}

export class ProcessLock {
  readonly #held: Held[] = [];

  /**
   * Locks the database for this process, beside its real path and on `lockFile` where that is elsewhere.
   *
   * @throws TelemetryError "refused", naming the holder, when another process has it; where a lock cannot be made, why
   */
  constructor(databasePath: string, lockFile: string | undefined) {
    requireOpenWay(databasePath, DATABASE);
    const settings = new Map<string, Setting>([[`${realPath(databasePath)}.lock`, DATABASE]]);
    try {
      if (lockFile !== undefined) settings.set(locateLock(lockFile), LOCK_FILE);
      for (const [path, setting] of settings) this.#held.push(take(path, setting, databasePath));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** @throws TelemetryError "refused" when a lock file was deleted or replaced: it no longer protects anything. */
  verify(): void {
    for (const { path, identity, db } of this.#held) {
      if (db.inTransaction && identityOf(path) === identity) continue;
      throw new TelemetryError(
        'refused',
        `The lock file ${path} was removed or replaced while this service held it, so a second writer could start. ` +
          'Stopping; start the service again and leave its lock file alone.',
      );
    }
  }

  release(): void {
    for (const { path, db, identity } of this.#held.splice(0)) {
      // Where the lock file was replaced, the name beside it is the next holder's.
      if (identityOf(path) === identity) rmSync(`${path}.holder`, { force: true });
      db.close();
    }
  }
}

/** What file a path names: device and inode; undefined where there is none. `stat` opens nothing. */
export function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/** The real path of a lock file that a setting names; its directory is made where it is missing. */
function locateLock(lockFile: string): string {
  requireWritableFile(lockFile, LOCK_FILE);
  try {
    makeDirectory(dirname(lockFile));
    return realPath(lockFile);
  } catch (error) {
    const why = `Cannot create the directory ${dirname(lockFile)} of the lock file: ${describe(error)}. Set TELEMETRY_LOCK_FILE to a place this user may write to, or leave it unset.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

/** @param setting what names the place of the lock file */
function take(path: string, setting: Setting, databasePath: string): Held {
  // HAZARD: SQLite opens a file that it may only read all the same, and BEGIN EXCLUSIVE then shuts nobody out.
  requireWritableFile(path, setting);
  const found = identityOf(path);
  try {
    return lockFileAt(path);
  } catch (error) {
    if (systemCode(error) === 'SQLITE_NOTADB' && identityOf(path) === found) {
      // The text lock file of the predecessor, which meant nothing to the kernel.
      renameSync(path, `${path}.predecessor-${Date.now()}`);
      return lockFileAt(path);
    }
    if (systemCode(error) === 'SQLITE_BUSY') throw taken(path, databasePath);
    throw new TelemetryError(
      'refused',
      `Cannot lock ${path}: ${describe(error)}. The service must be able to write there.`,
      {
        cause: error,
      },
    );
  }
}

function lockFileAt(path: string): Held {
  const isNew = identityOf(path) === undefined;
  const db = new Database(path, { timeout: PATIENCE_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
    if (isNew) giveToOwner(path);
    nameHolder(`${path}.holder`);
    return { path, db, identity: identityOf(path) ?? '' };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A command that root runs must not leave a lock that the service's user cannot open. */
function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  chownSync(path, uid, gid);
}

/** For the next one's error message only: a lock without a name is a lock all the same. */
function nameHolder(path: string): void {
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(holder)}\n`);
    renameSync(`${path}.tmp`, path);
  } catch {
    rmSync(`${path}.tmp`, { force: true });
  }
}

function taken(path: string, databasePath: string): TelemetryError {
  let who = 'another process';
  try {
    const holder = JSON.parse(readFileSync(`${path}.holder`, 'utf8')) as { pid: number; host: string; since: string };
    who = `the process with pid ${holder.pid} on host ${holder.host} (since ${holder.since})`;
  } catch {
    // It holds the lock all the same; only its name is unknown.
  }
  return new TelemetryError(
    'refused',
    `The database ${databasePath} is in use by ${who}, which holds ${path}. ` +
      'One service writes one database: stop that one, or set TELEMETRY_DB_PATH to another file.',
  );
}
