/** What a migration that was killed has left beside the database: told from files of others, finished, or removed. */
import { closeSync, lstatSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readMigrations } from '../migrate.ts';
import { identityOf } from '../lock.ts';
import { buildingName, COMPANIONS, completeName, syncFolder } from './files.ts';
import { openToRead } from './open.ts';
import { refused, toRefusal } from './refusal.ts';
import { FIRST_VERSION, recordedVersion } from './version.ts';
import { objectionTo } from './whose.ts';

/**
 * Sets right what a migration that was killed has left: the older database has one name again, or the new one is in place.
 * To be called by the holder of the process lock, before anything looks at the database.
 *
 * @throws TelemetryError "refused" where what would be put in place cannot be read
 */
export function repairInterrupted(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  // Without hard links there is a moment without the database, and whatever looks for it then may make an empty one.
  if (!found || (found.isFile() && found.size === 0)) finish(path);
  else if (found.nlink > 1) removeSecondName(path);
}

/** Puts a complete database in its place, where there is one. */
function finish(path: string): void {
  if (!isComplete(completeName(path))) return;
  // HAZARD: a journal or WAL of the empty file, or of the one before it, would be taken for one of the new database.
  for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
  syncFolder(path);
  renameSync(completeName(path), path);
  syncFolder(path);
}

/** The older database got its second name, and no other took its first. */
function removeSecondName(path: string): void {
  const identity = identityOf(path);
  const [folder, name] = [dirname(path), basename(path)];
  for (const other of readdirSync(folder)) {
    if (!other.startsWith(name) || !/^\.v\d+-\d{8}T\d{6}Z\.backup$/.test(other.slice(name.length))) continue;
    if (identityOf(join(folder, other)) === identity) rmSync(join(folder, other));
  }
  syncFolder(path);
}

/**
 * Makes room for a new attempt. To be called where the database in place is known to be an older one: so nothing of an
 * attempt before counts.
 *
 * @throws TelemetryError "refused" where a file of somebody else has a name that is needed
 */
export function removeLeftovers(path: string): void {
  const [building, complete] = [buildingName(path), completeName(path)];
  for (const name of [building, complete]) {
    const found = lstatSync(name, { throwIfNoEntry: false });
    if (!found || (found.isFile() && (found.size === 0 || beginsLikeOurs(name)))) continue;
    throw refused(
      path,
      `cannot be migrated while there is ${name}, which no migration has made. Give that another name, then try again.`,
    );
  }
  removeBuilding(path);
  rmSync(complete, { force: true });
}

/** Removes what is half built, and only where it is known to be ours. */
export function removeBuilding(path: string): void {
  for (const suffix of ['', ...COMPANIONS]) rmSync(buildingName(path) + suffix, { force: true });
}

const MAGIC = 'SQLite format 3\0';
/** What was never synced, a power cut may leave as zeros. */
const ZEROS = '\0'.repeat(MAGIC.length);

const beginsLikeOurs = (file: string): boolean => [MAGIC, ZEROS].includes(beginningOf(file));

/** HAZARD: opens the file with `fs`, so only where this process has no connection to it (../../database.ts). */
function beginningOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(MAGIC.length);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a file is a database that a migration has completed, and not one of somebody else by that name. */
function isComplete(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return false;
  try {
    if (beginningOf(file) !== MAGIC) return false;
    const db = openToRead(file);
    try {
      return (
        objectionTo(db, readMigrations().at(-1)?.version ?? 0) === undefined && recordedVersion(db) >= FIRST_VERSION
      );
    } finally {
      db.close();
    }
  } catch (error) {
    throw toRefusal(file, error);
  }
}
