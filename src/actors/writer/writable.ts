/**
 * Whether this process may write where a database lies, asked before anything is made: SQLite opens a file that it may
 * only read all the same, and would say so at the first run.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode, TelemetryError } from '../../errors.ts';

const { R_OK, W_OK, X_OK } = constants;
/** What SQLite may have left beside a database, and writes to at the next start. */
const BESIDE = ['-journal', '-wal', '-shm'];

/**
 * The folder in which a file is, or the nearest above it, where it will be made.
 *
 * @throws TelemetryError "refused" naming it, its owner and this user, with the remedy
 */
export function requireWritableFolder(folder: string): void {
  let at = folder;
  while (!statSync(at, { throwIfNoEntry: false }) && dirname(at) !== at) at = dirname(at);
  // A file in the way is another fault, which making the folder tells.
  if (!statSync(at, { throwIfNoEntry: false })?.isDirectory()) return;
  const remedy = (user: string): string => {
    if (at === folder) return `chown -R ${user} ${at}`;
    // Not with -R: what lies beside the folder that is missing may be others'.
    return `chown ${user} ${at}, or make the folder for it, install -d -o ${user.replace(':', ' -g ')} ${folder}`;
  };
  requireAccess(at, W_OK | X_OK, remedy);
}

/** The database and SQLite's files beside it, as far as they are there. @throws TelemetryError "refused", as above */
export function requireWritableDatabase(path: string): void {
  for (const file of [path, ...BESIDE.map((end) => path + end)]) requireWritableFile(file, path);
}

/**
 * A file, where it is there. `access` opens nothing, so it may be a live database.
 *
 * @param named the beginning of what else is likely to be of the same owner
 * @throws TelemetryError "refused", as above
 */
export function requireWritableFile(file: string, named = file): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  requireAccess(file, R_OK | W_OK, (user) => `chown ${user} ${named}*`);
}

function requireAccess(path: string, mode: number, remedy: (user: string) => string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    // Whatever else is wrong with the path, opening it says.
    if (!/^(EACCES|EPERM|EROFS)$/.test(systemCode(error) ?? '')) return;
    const user = `${process.getuid?.()}:${process.getgid?.()}`;
    const why = `The service runs as user ${user} and may not write to ${path}: ${reasonAgainst(path, error, remedy(user))}`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

function reasonAgainst(path: string, cause: unknown, remedy: string): string {
  if (systemCode(cause) === 'EROFS')
    return 'its file system is read-only. Mount it for writing, or set TELEMETRY_BASE_DIR to another place.';
  const { uid, gid, mode } = statSync(path);
  const rights = `0${(mode & 0o777).toString(8)}`;
  if (uid === process.getuid?.()) return `its mode is ${rights}. Give its owner all rights: chmod u+rwX ${path}`;
  // To run as root is no remedy.
  const asOwner = uid === 0 ? '' : ` Or run the service as its owner, a container with --user ${uid}:${gid}.`;
  return `it belongs to ${uid}:${gid}, mode ${rights}. Give it to the service: ${remedy} (of a container: on the host, where it is mounted from).${asOwner}`;
}
