/** The files of a migration: their names, the space they need, and the exchange of old and new. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../../errors.ts';

/** The new database while it is built; nothing in it counts. */
export const buildingName = (path: string): string => `${path}.migrating`;
/** The new database, complete, where it cannot be put in place in one step. Only a complete one ever has this name. */
export const completeName = (path: string): string => `${path}.migrated`;

/** What SQLite keeps beside a database. */
export const COMPANIONS = ['-journal', '-wal', '-shm'];
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK']);

/** The older database's name afterwards: `telemetry.sqlite.v6-20260110T120000Z.backup`, one that is free. */
export function backupName(path: string, version: number, now = Date.now()): string {
  for (let second = Math.floor(now / 1000); ; second++) {
    const time = new Date(second * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const name = `${path}.v${version}-${time}.backup`;
    if (!statSync(name, { throwIfNoEntry: false })) return name;
  }
}

const sizeOfFile = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** What the folder of a database has free for this user, in bytes; with what an attempt before has left, for that goes first. */
export function freeSpace(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize + sizeOfFile(buildingName(path)) + sizeOfFile(completeName(path));
}

/** What the indexes of a run take, in bytes: more than an older database may have spent on them. */
const INDEXES_PER_RUN = 600;

/** Free space that migrating needs, in bytes: for the new database, and for sorting its indexes. */
export const neededSpace = (bytes: number, runs: number): number =>
  Math.ceil(Math.max(bytes * 1.5, bytes + runs * INDEXES_PER_RUN)) + 1024 ** 2;

/** Bytes of the database and of what lies in its WAL. */
export const sizeOf = (path: string): number => sizeOfFile(path) + sizeOfFile(`${path}-wal`);

/** An empty file for the new database, for nobody's eyes but those for which the older one is: it holds the same. */
export function makeBuildingFile(path: string): void {
  const { mode, uid, gid } = statSync(path);
  const building = buildingName(path);
  // Whoever opened it before it has its group could read all that is written later.
  closeSync(openSync(building, 'wx', 0o600));
  // Only root may give a file away, and a member of the group may give it to the group.
  if (isGiven(building, uid, gid) || isGiven(building, -1, gid)) chmodSync(building, mode & 0o777);
  else chmodSync(building, mode & 0o700);
}

/** @returns false where this user may not do that */
function isGiven(file: string, uid: number, gid: number): boolean {
  try {
    chownSync(file, uid, gid);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
    return false;
  }
}

/**
 * Puts the new database, complete and closed, in the place of the older one, which keeps its content under the name
 * `backup`. At no moment is there no complete database. To be called by the holder of an exclusive transaction on the older one.
 */
export function exchange(path: string, backup: string): void {
  const building = buildingName(path);
  sync(building, 'r+');
  // HAZARD: a journal that some crash or journal mode has left is nobody's, as long as the older database is locked; beside
  // the new one it would be taken for its own. So it goes before, and for good.
  rmSync(`${path}-journal`, { force: true });
  syncFolder(path);
  try {
    linkSync(path, backup);
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error) ?? '')) throw error;
    exchangeByRenaming(path, backup);
    return;
  }
  syncFolder(path);
  renameSync(building, path);
  syncFolder(path);
}

function exchangeByRenaming(path: string, backup: string): void {
  renameSync(buildingName(path), completeName(path));
  syncFolder(path);
  try {
    renameSync(path, backup);
  } catch (error) {
    rmSync(completeName(path), { force: true });
    throw error;
  }
  syncFolder(path);
  renameSync(completeName(path), path);
  syncFolder(path);
}

export const syncFolder = (path: string): void => sync(dirname(path), 'r');

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Where folders cannot be synced, nothing better can be had.
    if (flags === 'r+' || !/^(EINVAL|EPERM|EISDIR|EBADF)$/.test(systemCode(error) ?? '')) throw error;
  } finally {
    closeSync(descriptor);
  }
}
