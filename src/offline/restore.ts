/**
 * Puts a backup in the place of the database. What a kill leaves at each step, and what a second `restore` makes of it:
 *
 * 1. The backup is copied to `<db>.restoring` and checked there. Killed: the database is as it was; the copy is made anew.
 *    From here on SQLite's own lock keeps other programs out of the old database, where it can be opened at all; the copy
 *    gets what the old one has counted of all runs that ever came, where that is more.
 * 2. The old database gets a second name, `<db>.replaced-<time>`. Killed: no service starts on a file with two names,
 *    so nobody misses what goes next; the second restore finds the name and goes on with that one.
 * 3. What SQLite left beside the old one (a hot journal, a WAL) goes to the second name, for it must neither be
 *    played into the new database nor be lost to the old. Killed: as after 2.
 * 4. `<db>.restoring` takes the database's name. Killed before: as after 3. Killed after: it is done.
 *
 * Where a file cannot have two names (FAT, some shared folders), 2 renames it: killed between 2 and 4 there is no
 * database, and the second restore finds the newest `.replaced-` and goes on.
 */
import { chmodSync, constants, copyFileSync, existsSync, linkSync, readdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../actors/spool/files.ts';
import { identityOf, ProcessLock } from '../actors/writer/lock.ts';
import { locate } from '../actors/writer/place.ts';
import { describe, TelemetryError } from '../errors.ts';
import { SCHEMA_VERSION } from '../run.ts';
import { objection } from './beginning.ts';
import { isFull } from '../actors/faults.ts';
import { type EverCounts, raiseEver } from './ever.ts';
import { adopt, BESIDE, isWithoutLinks, lookedAt, removeWhole } from './files.ts';
import { type HeldOld, holdOld } from './hold-old.ts';
import { holdIfLocked } from './in-use.ts';
import { settle } from './settle.ts';

export interface Restored {
  path: string;
  runs: number;
  bytes: number;
  schemaVersion: number;
  /** Where the old database is now; undefined where there was none. */
  replaced: string | undefined;
}

/**
 * Restores `file` as the database, under its lock.
 *
 * @throws TelemetryError "refused" with the remedy, the database untouched
 */
export function restore(
  file: string,
  database: { path: string; lockFile: string | undefined },
  now = new Date(),
): Restored {
  const none = objection(file);
  if (none !== undefined) throw refused(file, none);
  lookedAt(database.path);
  const path = locate(database.path);
  const lock = new ProcessLock(path, database.lockFile);
  try {
    if (identityOf(file) === identityOf(path)) {
      throw refused(file, 'is the database itself. Give a backup of it.');
    }
    return replace(file, path, now);
  } catch (error) {
    if (error instanceof TelemetryError) throw error;
    const why = isFull(error)
      ? `The disk of ${path} is full; the database is as it was. Free space there: the backup needs room beside it.`
      : `${file} could not be put in the place of ${path}: ${describe(error)}. Run restore again, once that is settled.`;
    throw new TelemetryError(isFull(error) ? 'full' : 'unavailable', why, { cause: error });
  } finally {
    lock.release();
  }
}

function replace(file: string, path: string, now: Date): Restored {
  const restoring = `${path}.restoring`;
  const begun = unfinished(path, existsSync(restoring));
  const { runs, schemaVersion } = checkedCopy(file, restoring);
  using stack = new DisposableStack();
  const { ever } = stack.use(holdOrGiveUp(path, begun, restoring));
  if (schemaVersion === SCHEMA_VERSION && ever.size > 0) keepEver(restoring, ever);
  adopt(restoring, path);
  const replaced = setAside(path, begun, now);
  renameSync(restoring, path);
  syncDirectory(dirname(path));
  return { path, runs, bytes: statSync(path).size, schemaVersion, replaced };
}

/** @throws TelemetryError "refused" where another program has the old database; nothing of the copy stays then */
function holdOrGiveUp(path: string, begun: string | undefined, restoring: string): HeldOld {
  try {
    return holdOld(path, begun);
  } catch (error) {
    removeWhole(restoring);
    throw error;
  }
}

/** Prometheus takes a counter that falls for one that began anew. @throws the disk's error; nothing of the copy stays then */
function keepEver(restoring: string, ever: EverCounts): void {
  try {
    raiseEver(restoring, ever);
  } catch (error) {
    removeWhole(restoring);
    throw error;
  }
}

/** Copies a backup, with what lies beside it where it is a raw copy of a database, and settles the copy. */
function checkedCopy(file: string, restoring: string): { runs: number; schemaVersion: number } {
  removeWhole(restoring);
  using stack = new DisposableStack();
  let good = false;
  stack.defer(() => good || removeWhole(restoring));
  stack.use(holdIfLocked(file));
  for (const suffix of ['', '-journal', '-wal']) {
    if (!existsSync(file + suffix)) continue;
    copyFileSync(file + suffix, restoring + suffix, constants.COPYFILE_EXCL);
    // A backup may well be read-only; what becomes of it is written to, and gets its mode at the end.
    chmodSync(restoring + suffix, 0o600);
  }
  const { runs, schemaVersion, problems } = settle(restoring);
  if (problems.length > 0) {
    const list = problems.map((problem) => `- ${problem}`).join('\n');
    throw refused(file, `is damaged. Give another backup.`, `\n${list}`);
  }
  if (schemaVersion === undefined)
    throw refused(file, 'is a SQLite database, but holds no runs. Give a telemetry database.');
  if (schemaVersion > SCHEMA_VERSION) {
    throw refused(
      file,
      `has schema version ${schemaVersion}; this release knows versions up to ${SCHEMA_VERSION}. Install a newer local-telemetry.`,
    );
  }
  good = true;
  return { runs, schemaVersion };
}

/** Names the old database `<path>.replaced-<time>`, with all that is beside it. @returns that path */
function setAside(path: string, begun: string | undefined, now: Date): string | undefined {
  if (!['', ...BESIDE].some((suffix) => existsSync(path + suffix))) return begun;
  const aside = begun ?? freeName(path, now);
  if (existsSync(path) && identityOf(aside) !== identityOf(path)) nameTwice(path, aside);
  syncDirectory(dirname(path));
  for (const suffix of BESIDE) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  syncDirectory(dirname(path));
  return aside;
}

/**
 * The name that an earlier restore, killed since, had begun to move the old database to.
 *
 * @param killed whether an earlier restore left its copy
 */
function unfinished(path: string, killed: boolean): string | undefined {
  const own = identityOf(path);
  const names = readdirSync(dirname(path))
    .filter((name) => isReplaced(name, path))
    .sort();
  const paths = names.map((name) => join(dirname(path), name));
  if (own !== undefined) return paths.find((name) => identityOf(name) === own);
  // Without two names: what still lies beside belongs to the one that was moved last.
  return killed ? paths.at(-1) : undefined;
}

const isReplaced = (name: string, path: string): boolean =>
  name.startsWith(`${basename(path)}.replaced-`) && /-\d{8}T\d{6}Z(-\d+)?$/.test(name);

/** Two restores within a second must not meet. */
function freeName(path: string, now: Date): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const name = `${path}.replaced-${time}Z`;
  let free = name;
  for (let count = 2; existsSync(free); count++) free = `${name}-${count}`;
  return free;
}

function nameTwice(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch (error) {
    if (!isWithoutLinks(error)) throw error;
    renameSync(path, aside);
  }
}

const refused = (file: string, why: string, more = ''): TelemetryError =>
  new TelemetryError('refused', `${file} ${why} The database is as it was.${more}`);
