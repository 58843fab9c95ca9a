/** Where a database lies: its folder is made, made to last, and held open so that it can be synced. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../../directory.ts';
import { describe, systemCode, TelemetryError } from '../../errors.ts';
import { realPath } from './real-path.ts';
import { DATABASE } from './remedies.ts';
import { requireWritablePlace } from './writable.ts';

/** A descriptor of the folder; null, and a warning, where it cannot be synced here. */
export function openToSync(directory: string, warnings: string[]): number | null {
  try {
    const descriptor = openSync(directory, 'r');
    fsyncSync(descriptor);
    return descriptor;
  } catch (error) {
    warnings.push(
      `The directory of the database cannot be synced here (${describe(error)}): a power cut may undo the last commits`,
    );
    return null;
  }
}

/** A system that syncs no file opened to be read. */
const NOT_SYNCED: ReadonlySet<unknown> = new Set(['EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS']);

/**
 * Brings the rollback journal to the disk ahead of COMMIT, which then has little of it left to sync.
 *
 * @param database path; of its journal no lock is lost by opening it, unlike of the database
 * @throws the disk's error: it may be told only once, and COMMIT must not go on without a journal
 */
export function syncJournal(database: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(`${database}-journal`, 'r');
  } catch {
    return; // No journal: nothing was changed that has been there before.
  }
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (!NOT_SYNCED.has(systemCode(error))) throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Syncs a folder that is open, so that what was committed in it stays. @throws TelemetryError "unavailable" */
export function syncOpen(directory: number): void {
  try {
    fsyncSync(directory);
  } catch (error) {
    const why =
      'The commit could not be made durable, so its outcome is unknown. Send this again: known runs are not stored twice.';
    throw new TelemetryError('unavailable', why, { cause: error });
  }
}

/** An empty file that only this user may read. @throws TelemetryError "bad_request" where there is one already, or no place for it */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    const why = `The file ${path} cannot be made: ${describe(error)}. Name a new one, in a folder that the service may write to.`;
    throw new TelemetryError('bad_request', why, { cause: error });
  }
}

/** The database's real path; its directory is made where it is missing, and made to last. @throws TelemetryError "refused" */
export function locate(path: string): string {
  requireWritablePlace(path, DATABASE);
  const directory = dirname(path);
  try {
    const made = makeDirectory(directory);
    // A directory is durable once its parent has been synced.
    for (let at = directory; made !== undefined && at.length >= made.length; at = dirname(at))
      syncDirectory(dirname(at));
    return realPath(path);
  } catch (error) {
    const why = `Cannot create the directory ${directory} of the database: ${describe(error)}. Set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH to a place this user may write to.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch {
    // Where directories cannot be synced, opening the database's own says so.
  } finally {
    closeSync(descriptor);
  }
}
