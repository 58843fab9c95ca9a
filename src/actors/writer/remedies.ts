/**
 * Why this process may not write to a place, and what to do. HAZARD: whoever reads a command here runs it as root. So no
 * command goes below a folder (-R), none gives a folder away that others may use, and each path is one word.
 */
import { accessSync, constants, lstatSync, opendirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, systemCode } from '../../errors.ts';
import { quoted } from '../shell.ts';

/** What names the place of the database. */
export const DATABASE = 'TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH';
/** What names the place of the second lock file. */
export const LOCK_FILE = 'TELEMETRY_LOCK_FILE';
export type Setting = typeof DATABASE | typeof LOCK_FILE;

export interface Forbidden {
  /** The folder or file that this process may not write to, or look into; a real path. */
  at: string;
  /** The system's error. */
  cause: unknown;
  setting: Setting;
  /** Of files: all of them that cannot be written to. */
  files?: readonly string[];
  /** Of a folder that is to be written to. */
  within?: Within;
}

interface Within {
  /** The file that is to be made there. */
  file: string;
  /** The topmost folder that is missing in between. */
  missing: string | undefined;
}

export interface User {
  uid: number;
  gid: number;
}

/** Who this process is; undefined where the system has no numbers for that. */
export function userOf(): User | undefined {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** What a base folder holds, and what a file system has at its top. */
const OURS: ReadonlySet<string> = new Set(['db', 'raw', 'buffer', 'backups', 'lost+found']);
const FREE_NAMES = ['local-telemetry', 'local-telemetry-data'];
/** Folders that belong to the system, even where they are empty. */
const SYSTEM =
  /^\/$|^\/(home|media|mnt|opt|root|run|srv|tmp)$|^\/(usr|var)(\/[^/]+)?$|^\/(bin|boot|dev|etc|lib\w*|proc|sbin|sys)(\/|$)/;
const OWNER_BITS = { file: constants.S_IRUSR | constants.S_IWUSR, folder: constants.S_IWUSR | constants.S_IXUSR };

/** The reason, and the remedy. @param user who this process is */
export function reasonAgainst(forbidden: Forbidden, user: User | undefined): string {
  const { at, cause, setting, files } = forbidden;
  const code = systemCode(cause);
  if (code === 'EROFS')
    return `its file system is read-only. Mount it for writing, or set ${setting} to another place.`;
  const { uid, gid, mode } = statSync(at);
  const bits = files ? OWNER_BITS.file : OWNER_BITS.folder;
  const own = uid === user?.uid;
  if (user === undefined || code === 'EPERM' || (own && (mode & bits) === bits)) {
    return `the system refuses it (${describe(cause)}). Look for a mark against changes or a rule of the system, or set ${setting} to another place.`;
  }
  const rights = `0${(mode & 0o777).toString(8)}`;
  if (own) return `its mode is ${rights}. Give its owner all rights: chmod u+rwX ${quoted(at)}`;
  // To run as root is no remedy.
  const asOwner = uid === 0 ? '' : `Run this as its owner, of a container with --user ${uid}:${gid}. Or else: `;
  return `it belongs to ${uid}:${gid}, mode ${rights}. ${asOwner}${remedyFor(forbidden, user)}`;
}

function remedyFor({ at, setting, files, within }: Forbidden, { uid, gid }: User): string {
  const give = `chown ${uid}:${gid}`;
  const make = `install -d -o ${uid} -g ${gid}`;
  if (files) return `If nothing else uses it, give it to this user: ${give} ${files.map(quoted).join(' ')}`;
  if (setting === LOCK_FILE) return `Set ${LOCK_FILE} to a place this user may write to, or leave it unset.`;
  if (within && isOurs(at, within))
    return `If nothing else uses it, give it to this user: ${give} ${quoted(at)} (of a container: on the host, where it is mounted from).`;
  if (within && mayLookInto(at)) {
    // HAZARD: of a folder that is there install changes the owner.
    if (within.missing !== undefined)
      return `Make a folder of its own: ${make} ${quoted(within.missing)} (of a container: on the host, where it is mounted from).`;
    const folder = FREE_NAMES.map((name) => join(at, name)).find((path) => !lstatSync(path, { throwIfNoEntry: false }));
    if (folder !== undefined)
      return `Make a folder of its own: ${make} ${quoted(folder)}, and set TELEMETRY_DB_PATH to a file in it.`;
  }
  return `Set ${setting} to a place this user may write to; of a container, mount such a one.`;
}

/** Whether a folder may be given away: it is the database's, or the one of everything, and nobody else has anything in it. */
function isOurs(folder: string, { file, missing }: Within): boolean {
  const isNamed = missing === undefined || (missing === dirname(file) && basename(missing) === 'db');
  if (!isNamed || SYSTEM.test(folder)) return false;
  const name = basename(file);
  const isOne = (other: string): boolean =>
    OURS.has(other) || (other.startsWith(name) && /^([.-]|$)/.test(other.slice(name.length)));
  try {
    using entries = opendirSync(folder);
    // The first that is not ours ends it, so a large folder is not read to its end.
    for (let entry = entries.readSync(); entry; entry = entries.readSync()) if (!isOne(entry.name)) return false;
    return true;
  } catch {
    return false;
  }
}

function mayLookInto(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
