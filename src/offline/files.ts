/** Files of this room: made private, made to last, and removed with what SQLite puts beside them. */
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describe, systemCode, TelemetryError } from '../errors.ts';

/** What SQLite may leave beside a database. */
export const BESIDE = ['-journal', '-wal', '-shm'] as const;

const PRIVATE = 0o600;

/** What a path names, a symbolic link followed; undefined where there is nothing. @throws other errors of the system */
export const statOf = (path: string): Stats | undefined => unlessMissing(() => statSync(path));

/** The same of a symbolic link itself. */
export const linkStatOf = (path: string): Stats | undefined => unlessMissing(() => lstatSync(path));

function unlessMissing(look: () => Stats): Stats | undefined {
  try {
    return look();
  } catch (error) {
    if (/^(ENOENT|ENOTDIR)$/.test(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * What a path names, for a command that needs it.
 *
 * @throws TelemetryError "refused" where this user may not even look
 */
export function lookedAt(path: string, look = statOf): Stats | undefined {
  try {
    return look(path);
  } catch (error) {
    const why = `${path} cannot be looked at (${describe(error)}). Run this as a user who may, most often that of the service.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

/** File systems on which a file cannot have two names: FAT, some shared folders. */
export const isWithoutLinks = (error: unknown): boolean =>
  /^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK|EINVAL)$/.test(systemCode(error) ?? '');

/**
 * Renames a file, but not over another. HAZARD: without links, one that is made in this very moment is replaced.
 *
 * @returns false where that name is taken
 */
export function takeName(from: string, to: string): boolean {
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    if (!isWithoutLinks(error)) throw error;
    if (linkStatOf(to)) return false;
    renameSync(from, to);
    return true;
  }
  rmSync(from);
  return true;
}

/** Removes a file that nobody needs, and what SQLite left beside it: a journal would be played into the next of its name. */
export function removeWhole(path: string): void {
  for (const suffix of [...BESIDE, '']) rmSync(path + suffix, { force: true });
}

/** Closes a new folder to others; it is owned as `like` is, for another user may have to write there. */
export function makePrivate(folder: string, like: string): void {
  chmodSync(folder, PRIVATE | 0o100);
  ownAs(folder, nearest(like));
}

/** An empty file that only its owner may open, and that is owned as `like` is. */
export function createPrivate(path: string, like: string): void {
  closeSync(openSync(path, 'wx', PRIVATE));
  ownAs(path, nearest(like));
}

/** Gives a file the owner and the mode of another; only its own user may open it where there is no other. */
export function adopt(path: string, like: string): void {
  const model = statOf(like);
  chmodSync(path, model ? model.mode & 0o777 : PRIVATE);
  ownAs(path, model ?? nearest(like));
}

/** Only root may give a file away, and only root makes files for others. */
function ownAs(path: string, { uid, gid }: Stats): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

const nearest = (path: string): Stats => statOf(path) ?? statSync(dirname(path));

/** Another program has the file locked just now. */
export const isLocked = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(systemCode(error) ?? '');

/** The disk, the system or another program is in the way: that says nothing of what is in a file. */
export const isTrouble = (error: unknown): boolean =>
  /^(SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|FULL|NOMEM|BUSY|LOCKED|PROTOCOL|NOLFS|INTERRUPT)|E[A-Z0-9]+$)/.test(
    systemCode(error) ?? '',
  );
