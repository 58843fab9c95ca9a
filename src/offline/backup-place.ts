/** Where a backup goes, what it is called, and what earlier ones left there. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join, parse, resolve } from 'node:path';
import { TelemetryError } from '../errors.ts';
import { linkStatOf, lookedAt, removeWhole, statOf } from './files.ts';

/** What follows the name of the database in names that are made of a time. */
const TIMED = /^-\d{8}T\d{6}Z\.sqlite$/;
const PARTIAL = /^(\.\d+-[0-9a-f]+)?\.partial(-journal|-wal|-shm)?$/;
const TIMED_LENGTH = '-20260110T120000Z.sqlite'.length;
/** A copy that nobody has written to for so long was given up. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;
/** Backups of one second that get names of the following ones. */
const MAX_SECONDS = 100;

export interface Place {
  folder: string;
  /** Begins the names that are made of a time: that of the database, without its ending. */
  stem: string;
  /** The name that was given; undefined for one that is made of the time. */
  given: string | undefined;
  time: Date;
}

const nameAt = (stem: string, time: Date): string =>
  `${stem}-${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z.sqlite`;

export const backupFolder = (databasePath: string): string => join(dirname(databasePath), 'backups');

/** Whether a name is one that a backup of a database of this stem gets by itself. */
export const isTimed = (name: string, stem: string): boolean =>
  name.startsWith(`${stem}-`) && TIMED.test(name.slice(stem.length));

/**
 * Where a backup goes.
 *
 * @param given a file or a folder; undefined for the folder of backups beside the database, which alone may be missing
 * @throws TelemetryError "refused" where that file is there already, or its folder is not
 */
export function placeOf(given: string | undefined, databasePath: string, time: Date): Place {
  const stem = parse(databasePath).name;
  if (given === undefined) return { folder: resolve(backupFolder(databasePath)), stem, given, time };
  const wanted = resolve(given);
  if (given.endsWith('/') || isFolder(wanted)) return { folder: thatIsThere(wanted), stem, given: undefined, time };
  if (lookedAt(wanted, linkStatOf)) {
    const why = `${wanted} is there already. A backup replaces nothing: give another name, or a folder.`;
    throw new TelemetryError('refused', why);
  }
  return { folder: thatIsThere(dirname(wanted)), stem, given: basename(wanted), time };
}

/** A folder that is missing may be a disk that is not mounted: none is made in its place. */
function thatIsThere(folder: string): string {
  if (isFolder(folder)) return folder;
  const why = `There is no folder ${folder} for the backup. Make it, or mount the disk that it is on.`;
  throw new TelemetryError('refused', why);
}

const isFolder = (path: string): boolean => lookedAt(path, statOf)?.isDirectory() ?? false;

/** The names that the backup may get, the wanted one first. */
export function pathsOf({ folder, stem, given, time }: Place): string[] {
  if (given !== undefined) return [join(folder, given)];
  const seconds = Array.from({ length: MAX_SECONDS }, (_, second) => new Date(time.getTime() + second * 1000));
  return seconds.map((second) => join(folder, nameAt(stem, second)));
}

/** Where the copy is made. No other backup has that name, not even one of the same second. */
export const partialOf = (place: Place): string =>
  `${pathsOf(place)[0]}.${process.pid}-${randomBytes(4).toString('hex')}.partial`;

/** Of backups by time only the last damaged one is kept: a timer must not fill the disk with them. */
export const damagedPathOf = ({ folder, stem, given }: Place): string => join(folder, `${given ?? stem}.damaged`);

/** Removes copies of this place that were given up; where they cannot be removed, they stay. */
export function removeAbandoned({ folder, stem, given }: Place, now = Date.now()): void {
  for (const name of namesIn(folder)) {
    const length = given !== undefined && name.startsWith(`${given}.`) ? given.length : stem.length + TIMED_LENGTH;
    const complete = name.slice(0, length);
    if ((complete !== given && !isTimed(complete, stem)) || !PARTIAL.test(name.slice(length))) continue;
    try {
      const path = join(folder, name);
      const found = linkStatOf(path);
      if (found?.isFile() && now - found.mtimeMs > ABANDONED_MS) removeWhole(path);
    } catch {
      // Another user's, say. It takes room and does nothing else; doctor names it.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder may take files and not be listed.
    return [];
  }
}

/**
 * The mark of a database in its backups: of its path, and of when its schema was made. Two databases of one name that
 * share a folder have two marks, on one machine or on two; a new container changes none.
 *
 * @returns a number of 32 bits for the header, never 0, which is that of a file without a mark
 */
export function markOf(databasePath: string, made: string): number {
  const digest = createHash('sha256').update(`${databasePath}\0${made}`).digest();
  return digest.readInt32BE(0) || 1;
}
