/**
 * Whether this process may write where a database lies, asked before anything is made: SQLite opens a file that it may
 * only read all the same, and would say so at the first run.
 */
import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode, TelemetryError } from '../../errors.ts';
import { closedFolder, likelyPath } from './real-path.ts';
import { DATABASE, type Forbidden, reasonAgainst, type Setting, userOf } from './remedies.ts';

const { R_OK, W_OK, X_OK } = constants;

/**
 * The folder in which a file really lies, links followed, or the nearest above it, where it will be made.
 *
 * @param setting what names the place, for the remedy
 * @throws TelemetryError "refused" naming the folder, its owner and this user, with the remedy
 */
export function requireWritablePlace(path: string, setting: Setting): void {
  requireOpenWay(path, setting);
  const file = likelyPath(path);
  let at = dirname(file);
  let missing: string | undefined;
  while (!found(at) && dirname(at) !== at) [missing, at] = [at, dirname(at)];
  // A file in the way is another fault, which making the folder tells.
  if (!found(at)?.isDirectory()) return;
  const cause = refusal(at, W_OK | X_OK);
  if (cause) throw refused('write', { at: realpathSync(at), cause, setting, within: { file, missing } });
}

/**
 * The folders on the way to a file, which this process must be able to look into.
 *
 * @throws TelemetryError "refused", as above
 */
export function requireOpenWay(path: string, setting: Setting): void {
  try {
    statSync(path);
  } catch (error) {
    const closed = systemCode(error) === 'EACCES' ? closedFolder(path) : undefined;
    if (closed === undefined) return;
    throw refused('look', { at: closed, cause: error, setting });
  }
}

/**
 * The database and SQLite's files beside it, as far as they are there and will be written to.
 *
 * @param path the real one
 * @throws TelemetryError "refused", as above
 */
export function requireWritableDatabase(path: string, journalMode: 'DELETE' | 'WAL'): void {
  // SQLite takes an empty WAL for none; with one that holds anything it opens the index of the WAL too.
  const wal = journalMode === 'WAL' || (found(`${path}-wal`)?.size ?? 0) > 0;
  const files = [path, `${path}-journal`, ...(wal ? [`${path}-wal`, `${path}-shm`] : [])];
  requireFiles(files, DATABASE);
}

/**
 * A file, where it is there; else the place where it will be made. `access` opens nothing, so it may be a live database.
 *
 * @throws TelemetryError "refused", as above
 */
export function requireWritableFile(file: string, setting: Setting): void {
  requireOpenWay(file, setting);
  if (found(file)) requireFiles([file], setting);
  else requireWritablePlace(file, setting);
}

function requireFiles(files: readonly string[], setting: Setting): void {
  const causes = new Map<string, unknown>();
  for (const file of files) {
    const cause = found(file)?.isFile() ? refusal(file, R_OK | W_OK) : undefined;
    if (cause) causes.set(file, cause);
  }
  const [first] = causes;
  if (first) throw refused('write', { at: first[0], cause: first[1], setting, files: [...causes.keys()] });
}

/** The system's error where it forbids; whatever else is wrong with a path, opening it says. */
function refusal(path: string, mode: number): unknown {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return /^(EACCES|EPERM|EROFS)$/.test(systemCode(error) ?? '') ? error : undefined;
  }
}

/** What a path names; undefined where there is nothing, or nothing to be looked at. */
function found(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function refused(does: 'write' | 'look', forbidden: Forbidden): TelemetryError {
  const { at, cause } = forbidden;
  const user = userOf();
  // Windows has no numbers for users.
  const who = user === undefined ? 'This process' : `This process runs as user ${user.uid}:${user.gid} and`;
  const what = does === 'write' ? 'may not write to' : 'may not look into';
  return new TelemetryError('refused', `${who} ${what} ${at}: ${reasonAgainst(forbidden, user)}`, { cause });
}
