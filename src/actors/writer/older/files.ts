/** The files of a migration: their names, what a killed attempt leaves of them, and the exchange of old and new. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../../errors.ts';
import { identityOf } from '../lock.ts';

/** The new database while it is built; nothing in it counts. */
export const buildingName = (path: string): string => `${path}.migrating`;
/** The new database, complete, where it cannot be put in place in one step. Only a complete one ever has this name. */
export const completeName = (path: string): string => `${path}.migrated`;

const COMPANIONS = ['', '-journal', '-wal', '-shm'];
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK']);

/** The older database's name afterwards: `telemetry.sqlite.v6-20260110T120000Z.backup`, one that is free. */
export function backupName(path: string, version: number, now = Date.now()): string {
  for (let second = Math.floor(now / 1000); ; second++) {
    const time = new Date(second * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const name = `${path}.v${version}-${time}.backup`;
    if (!statSync(name, { throwIfNoEntry: false })) return name;
  }
}

/** What the folder of a file has free, in bytes, for this user. */
export function freeSpace(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** What the indexes of a run take, in bytes: more than an older database may have spent on them. */
const INDEXES_PER_RUN = 600;

/** Free space that migrating needs, in bytes: for the new database, and for sorting its indexes. */
export const neededSpace = (bytes: number, runs: number): number =>
  Math.ceil(Math.max(bytes * 1.5, bytes + runs * INDEXES_PER_RUN)) + 1024 ** 2;

/** Bytes of the database and of what lies in its WAL. */
export const sizeOf = (path: string): number =>
  ['', '-wal'].reduce((sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);

/** An empty file for the new database, readable by whom the older one is: it holds the same. */
export function makeBuildingFile(path: string): void {
  removeBuilding(path);
  const { mode, uid, gid } = statSync(path);
  const building = buildingName(path);
  closeSync(openSync(building, 'wx', mode & 0o777));
  try {
    chownSync(building, uid, gid);
  } catch (error) {
    // Only root may give a file away. Whoever may migrate it may also have it.
    if (systemCode(error) !== 'EPERM') throw error;
  }
  chmodSync(building, mode & 0o777);
}

export function removeBuilding(path: string): void {
  for (const companion of COMPANIONS) rmSync(buildingName(path) + companion, { force: true });
}

/**
 * Sets right what a migration that was killed has left: the older database has one name again, or the new one is in place.
 * To be called by the holder of the process lock, before anything looks at the database.
 */
export function repairInterrupted(path: string): void {
  removeBuilding(path);
  const identity = identityOf(path);
  if (identity === undefined) {
    // Killed after the older one had its new name, where hard links are not supported.
    if (identityOf(completeName(path)) === undefined) return;
    renameSync(completeName(path), path);
    syncFolder(path);
    return;
  }
  rmSync(completeName(path), { force: true });
  if (statSync(path).nlink < 2) return;
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(path)}.v`) || !name.endsWith('.backup')) continue;
    if (identityOf(join(folder, name)) === identity) rmSync(join(folder, name));
  }
  syncFolder(path);
}

/**
 * Puts the new database, complete and closed, in the place of the older one, which keeps its content under the name
 * `backup`. At no moment is there no complete database.
 */
export function exchange(path: string, backup: string): void {
  const building = buildingName(path);
  sync(building, 'r+');
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
  renameSync(path, backup);
  syncFolder(path);
  renameSync(completeName(path), path);
  syncFolder(path);
}

const syncFolder = (path: string): void => sync(dirname(path), 'r');

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
