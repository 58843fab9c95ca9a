/**
 * Backups: a copy is made as `<file>.partial`, by whoever has the database open, and gets its name only when it is
 * complete, checked and on disk. A kill at any moment leaves a `.partial`, never half a backup.
 */
import { chmodSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { makeDirectory } from '../directory.ts';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { copyDatabase } from '../actors/copy.ts';
import { ProcessLock } from '../actors/writer/lock.ts';
import { syncDirectory } from '../actors/spool/files.ts';
import { createPrivate, isFull, linkStatOf, makePrivate, removeWhole, statOf } from './files.ts';
import { settle } from './settle.ts';
import { openSettled, refuseTwoNames } from './version.ts';

const NAME = /^telemetry-\d{8}T\d{6}Z\.sqlite$/;
const PARTIAL = /^telemetry-\d{8}T\d{6}Z\.sqlite\.partial(-journal|-wal|-shm)?$/;
/** A copy that nobody has written to for so long was given up. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;
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

export const backupName = (time: Date): string =>
  `telemetry-${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z.sqlite`;

export const backupFolder = (databasePath: string): string => join(dirname(databasePath), 'backups');

/**
 * Where a backup goes.
 *
 * @param given a file or a folder; undefined for the folder of backups beside the database
 * @throws TelemetryError "refused" where that file is there already
 */
export function placeOf(given: string | undefined, databasePath: string, time: Date): string {
  const wanted = resolve(given ?? backupFolder(databasePath));
  const isFolder = given === undefined || given.endsWith('/') || isDirectory(wanted);
  const path = isFolder ? join(wanted, backupName(time)) : wanted;
  if (linkStatOf(path)) {
    throw new TelemetryError(
      'refused',
      `${path} is there already. A backup replaces nothing: give another name, or a folder.`,
    );
  }
  return path;
}

/**
 * Makes the folder where it is missing; what a killed backup left in the copy's place goes.
 *
 * @returns the path that the copy is to be written to
 */
export function preparePartial(path: string, databasePath: string): string {
  const [folder, partial] = [dirname(path), `${path}.partial`];
  try {
    if (makeDirectory(folder) !== undefined) makePrivate(folder, databasePath);
    removeWhole(partial);
    return partial;
  } catch (error) {
    throw failed(path, error);
  }
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
export function finishBackup(partial: string, path: string): Backup {
  if (statSync(partial).size === 0) {
    const why = `The copy for ${path} is empty: the service may see other folders than this command. Give a place that both see.`;
    throw new TelemetryError('refused', why);
  }
  const { problems, runs, schemaVersion, orphans } = settle(partial);
  if (problems.length > 0 || schemaVersion === undefined) {
    const damaged = damagedName(path);
    renameSync(partial, damaged);
    const found = problems.length > 0 ? problems : ['it holds no runs'];
    const why = `The backup is damaged, and so is perhaps the database; it is kept as ${damaged}. Run local-telemetry verify.`;
    throw new TelemetryError('refused', [why, ...found.map((problem) => `- ${problem}`)].join('\n'));
  }
  chmodSync(partial, 0o600);
  if (linkStatOf(path)) {
    throw new TelemetryError('refused', `${path} was made by someone else meanwhile. Run the backup again.`);
  }
  renameSync(partial, path);
  syncDirectory(dirname(path));
  return { path, runs, bytes: statSync(path).size, schemaVersion, orphans };
}

/** Of backups by time only the last damaged one is kept: a timer must not fill the disk with them. */
const damagedName = (path: string): string =>
  NAME.test(basename(path)) ? join(dirname(path), 'telemetry.damaged') : `${path}.damaged`;

/** What went wrong, as the operator needs to know it; nothing of the copy stays. */
export function failBackup(path: string, error: unknown): TelemetryError {
  try {
    removeWhole(`${path}.partial`);
  } catch {
    // Gone with its disk, say; the first error is the one to be told.
  }
  return failed(path, error);
}

function failed(path: string, error: unknown): TelemetryError {
  if (isFull(error) || (error instanceof TelemetryError && error.code === 'full')) {
    const why = `The disk of ${path} is full; the unfinished backup was removed. Free space there, or give another place.`;
    return new TelemetryError('full', why, { cause: error });
  }
  if (error instanceof TelemetryError && error.code === 'refused') return error;
  const code = systemCode(error) ?? '';
  const why = `The backup ${path} could not be made: ${describe(error)}`;
  const remedy = code === 'SQLITE_IOERR' ? 'Look at the disk.' : 'May the service and this user write there?';
  return new TelemetryError('unavailable', `${why.replace(/\.?$/, '.')} ${remedy}`, { cause: error });
}

/**
 * Removes the oldest backups of a folder, and copies that were given up. Only what bears our names.
 *
 * @param newest the backup just made, which stays; it is one of `keep` where it bears such a name
 * @param keep how many stay
 * @returns the paths of the removed backups
 */
export function prune(newest: string, keep: number, now = Date.now()): string[] {
  const folder = dirname(newest);
  const names = readdirSync(folder);
  for (const name of names.filter((candidate) => PARTIAL.test(candidate))) {
    const path = join(folder, name);
    const found = linkStatOf(path);
    if (found?.isFile() && now - found.mtimeMs > ABANDONED_MS) rmSync(path, { force: true });
  }
  const others = names.filter((name) => NAME.test(name) && name !== basename(newest) && isFile(join(folder, name)));
  const removed = others
    .sort()
    .toReversed()
    .slice(keep - (NAME.test(basename(newest)) ? 1 : 0))
    .map((name) => join(folder, name));
  for (const path of removed) rmSync(path, { force: true });
  return removed.toReversed();
}

const isDirectory = (path: string): boolean => statOf(path)?.isDirectory() ?? false;
const isFile = (path: string): boolean => linkStatOf(path)?.isFile() ?? false;
