/** The folders of database, spool and NDJSON: their file systems, their room, and who may write there. */
import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Check } from '../../offline/check.ts';
import { quoted } from '../../actors/shell.ts';
import { ok } from '../../offline/check.ts';
import { bytesOf, numberOf } from '../../offline/figures.ts';
import { statOf } from '../../offline/files.ts';
import { judgeMount, mountOf, parseMounts } from '../../offline/mounts.ts';
import { describe } from '../../errors.ts';
import { type Look, nearest, realOf } from './look.ts';
import { checkOf, type Part } from './parts.ts';

interface Place {
  name: string;
  /** The folder itself, or the nearest above it that is there. */
  folder: string;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const FEW_INODES = 1_000;

function placesOf({ path, config }: Look): Place[] {
  const folders = [
    ['database', dirname(path)],
    ['spool', realOf(config.spool.directory)],
    ['NDJSON', realOf(config.ndjsonDirectory)],
  ] as const;
  return folders.map(([name, folder]) => ({ name, folder: nearest(folder) }));
}

export function checkFileSystems(look: Look): Check {
  if (process.platform !== 'linux') return ok('file_systems', `not known on ${process.platform}: use local disks`);
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const parts = placesOf(look).map(({ name, folder }): Part => {
    const mount = mountOf(mounts, folder);
    if (!mount)
      return {
        state: 'warning',
        line: `${name}: ${folder} is on no known file system`,
        remedy: 'Look at /proc/self/mountinfo',
      };
    const { state, why } = judgeMount(mount);
    const [means, remedy] = why.split(': ');
    const line = `${name}: ${mount.type} at ${mount.mountPoint}${means ? `; ${means}` : ''}`;
    return { state, line, ...(remedy && { remedy: `${name}: ${remedy}` }) };
  });
  return checkOf('file_systems', parts, parts.map(({ line }) => line.replace(/ at .*/, '')).join(', '));
}

export function checkSpace(look: Look): Check {
  const size = statOf(look.path)?.size ?? 0;
  const parts = placesOf(look).map(({ name, folder }): Part => {
    try {
      const { bavail, bsize, files, ffree } = statfsSync(folder);
      const least = name === 'database' ? Math.max(2 * size, GIB) : GIB;
      return spaceOf(name, { folder, free: bavail * bsize, least, inodes: files > 0 ? ffree : undefined });
    } catch (error) {
      return { state: 'warning', line: `${name}: not known (${describe(error)})`, remedy: `Look at ${folder}` };
    }
  });
  return checkOf('space', parts, parts.map(({ line }) => line).join(', '));
}

/** @param room free and wanted bytes; `inodes` is undefined where the file system has no such number */
export function spaceOf(
  name: string,
  { folder, free, least, inodes }: { folder: string; free: number; least: number; inodes: number | undefined },
): Part {
  const line = `${name}: ${bytesOf(free)} free`;
  if (free < 100 * MIB)
    return { state: 'bad', line, remedy: `Free space below ${folder} now: runs are refused when it is full` };
  if (inodes !== undefined && inodes < FEW_INODES) {
    return {
      state: 'warning',
      line: `${name}: only ${numberOf(inodes)} files more can be made`,
      remedy: `Remove files of the disk of ${folder}`,
    };
  }
  if (free >= least) return { state: 'ok', line };
  const why =
    name === 'database' ? 'a backup and a migration need twice the database' : 'it grows while the service is away';
  return { state: 'warning', line, remedy: `Have ${bytesOf(least)} free below ${folder}: ${why}` };
}

export function checkPermissions(look: Look): Check {
  const parts = placesOf(look).map(({ name, folder }): Part => {
    if (mayWrite(folder)) return { state: 'ok', line: `${name}: ${folder} may be written to` };
    return {
      state: 'bad',
      line: `${name}: ${folder} may not be written to`,
      remedy: `Give ${userName()} the right to write to ${folder}`,
    };
  });
  parts.push(...ownersOf(look.path), ...ownersOf(`${look.path}.lock`));
  const wrong = parts.filter(({ state }) => state !== 'ok');
  return checkOf('permissions', wrong, `${userName()} may write to all folders`);
}

function ownersOf(path: string): Part[] {
  const found = statOf(path);
  if (!found?.isFile()) return [];
  const parts: Part[] = [];
  const own = process.getuid?.();
  if (!mayWrite(path)) {
    parts.push({
      state: 'bad',
      line: `${path} may not be written to`,
      remedy: `Run this as its owner (uid ${found.uid}), or give it away: chown`,
    });
  } else if (own !== undefined && found.uid !== own) {
    const line = `${path} belongs to uid ${found.uid}, not to ${userName()}`;
    parts.push({ state: 'warning', line, remedy: 'Run the service and these commands as one user' });
  }
  if (path.endsWith('.lock') || process.platform === 'win32') return parts;
  if ((found.mode & constants.S_IROTH) !== 0 && isReachable(dirname(path))) {
    parts.push({
      state: 'warning',
      line: `${path} may be read by every user`,
      remedy: `chmod 600 ${quoted(path)}, and umask 077 for the service`,
    });
  }
  return parts;
}

/** Whether others may walk to a folder. */
function isReachable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (((statOf(at)?.mode ?? 0) & constants.S_IXOTH) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in the list of users, as in many containers.
    return `uid ${process.getuid?.()}`;
  }
}
