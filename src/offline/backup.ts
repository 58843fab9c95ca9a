/**
 * Backups: a copy is made as `<file>.<pid>-<random>.partial`, by whoever has the database open, and gets its name only
 * when it is complete, checked and on disk. A kill at any moment leaves a `.partial`, never half a backup.
 */
import { chmodSync, renameSync, statSync } from 'node:fs';
import { makeDirectory } from '../directory.ts';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { copyDatabase } from '../actors/copy.ts';
import { ProcessLock } from '../actors/writer/lock.ts';
import { realPath } from '../actors/writer/real-path.ts';
import { syncDirectory } from '../actors/spool/files.ts';
import { damagedPathOf, markOf, partialOf, pathsOf, type Place, removeAbandoned } from './backup-place.ts';
import { isFull } from '../actors/faults.ts';
import { createPrivate, makePrivate, removeWhole, takeName } from './files.ts';
import { settle } from './settle.ts';
import { openSettled, refuseTwoNames } from './version.ts';

/** Copied at once. */
const PAGES = 1_024;
/** How long another program's lock is waited for. */
const LOCKED_MS = 10_000;

export interface Backup {
  path: string;
  runs: number;
  bytes: number;
  schemaVersion: number;
  /** Rows whose run is not there any more; the backup is good all the same. */
  orphans: string[];
}

/**
 * Makes the folder beside the database where it is missing; what was given up in the place goes.
 *
 * @returns the path that the copy is to be written to, where nothing is
 */
export function preparePartial(place: Place, databasePath: string): string {
  const partial = partialOf(place);
  try {
    if (place.given === undefined && makeDirectory(place.folder) !== undefined) makePrivate(place.folder, databasePath);
  } catch (error) {
    throw failed(String(pathsOf(place)[0]), error);
  }
  removeAbandoned(place);
  return partial;
}

/**
 * Copies a database that no service has open, under its lock.
 *
 * @param onProgress told the share that is copied, 0 to 1
 * @throws TelemetryError "refused" where a service has it, or it is none of ours
 */
export async function copyOffline(
  database: { path: string; lockFile: string | undefined },
  partial: string,
  onProgress: (share: number) => void,
): Promise<void> {
  const lock = new ProcessLock(database.path, database.lockFile);
  try {
    refuseTwoNames(database.path);
    const db = openSettled(database.path);
    try {
      createPrivate(partial, database.path);
      const show = (done: number, total: number): void => onProgress(done / total);
      await copyDatabase(db, partial, { pages: PAGES, timeoutMs: LOCKED_MS, onProgress: show });
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}

/**
 * Checks a complete copy, settles it, and gives it its name.
 *
 * @throws TelemetryError where it fails a check; it is kept as damaged then
 */
export function finishBackup(partial: string, place: Place, databasePath: string): Backup {
  if (statSync(partial).size === 0) {
    const why = `The copy for ${pathsOf(place)[0]} is empty: the service may see other folders than this command. Give a place that both see.`;
    throw new TelemetryError('refused', why);
  }
  const real = realPath(databasePath);
  const { problems, runs, schemaVersion, orphans } = settle(partial, (made) => markOf(real, made));
  if (problems.length > 0 || schemaVersion === undefined) {
    const damaged = damagedPathOf(place);
    renameSync(partial, damaged);
    const found = problems.length > 0 ? problems : ['it holds no runs'];
    const why = `The backup is damaged, and so is perhaps the database; it is kept as ${damaged}. Run local-telemetry verify.`;
    throw new TelemetryError('refused', [why, ...found.map((problem) => `- ${problem}`)].join('\n'));
  }
  chmodSync(partial, 0o600);
  const path = pathsOf(place).find((name) => takeName(partial, name));
  if (path === undefined) {
    const why = `${pathsOf(place)[0]} was made by someone else meanwhile. Run the backup again.`;
    throw new TelemetryError('refused', why);
  }
  syncDirectory(place.folder);
  return { path, runs, bytes: statSync(path).size, schemaVersion, orphans };
}

/** What went wrong, as the operator needs to know it; nothing of the copy stays. */
export function failBackup(partial: string, place: Place, error: unknown): TelemetryError {
  try {
    removeWhole(partial);
  } catch {
    // Gone with its disk, say; the first error is the one to be told.
  }
  return failed(String(pathsOf(place)[0]), error);
}

function failed(path: string, error: unknown): TelemetryError {
  if (isFull(error) || (error instanceof TelemetryError && error.code === 'full')) {
    const why = `The disk of ${path} is full; the unfinished backup was removed. Free space there, or give another place.`;
    return new TelemetryError('full', why, { cause: error });
  }
  if (error instanceof TelemetryError && error.code === 'refused') return error;
  const why = `The backup ${path} could not be made: ${describe(error)}`;
  const remedy = systemCode(error)?.startsWith('SQLITE_IOERR')
    ? 'Look at the disk.'
    : 'May the service and this user write there?';
  return new TelemetryError('unavailable', `${why.replace(/\.?$/, '.')} ${remedy}`, { cause: error });
}
