/** Looks into an older database and leaves everything as it was: the file, its journal, its WAL. */
import { rmSync, statSync } from 'node:fs';
import { systemCode } from '../../../errors.ts';
import type { Connection } from '../../database.ts';
import { openToLock, openToRead } from './open.ts';
import { refused, toRefusal } from './refusal.ts';

/** @throws TelemetryError "refused" where there is no file that could be a database of one name */
export function requireFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refused(path, 'does not exist. Set TELEMETRY_DB_PATH to the older database.');
  if (!found.isFile()) throw refused(path, 'is not a file. Set TELEMETRY_DB_PATH to a file.');
  if (found.size === 0)
    throw refused(path, 'is empty: there is nothing to migrate. Start the service: it makes a new one of it.');
  if (found.nlink > 1) {
    const why =
      `has ${found.nlink} names (hard links). Remove the others, or copy it with cp and migrate the copy. ` +
      'Where a migration was killed, local-telemetry migrate sets that right.';
    throw refused(path, why);
  }
}

/** Bytes of changes that SQLite keeps in a file of their own beside it. */
export const walSize = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** Whether a crash left a commit half made, so that nothing can be read before a connection that may write has undone it. */
export function isInterrupted(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return /^SQLITE_READONLY_(ROLLBACK|RECOVERY|CANTINIT)/.test(systemCode(cause) ?? '');
}

/** @throws what `work` throws; errors of SQLite as refusals */
export function withReading<T>(path: string, work: (db: Connection) => T): T {
  requireFile(path);
  const before = companionsOf(path);
  let db: Connection | undefined;
  try {
    db = openToRead(path);
    return work(db);
  } catch (error) {
    throw toRefusal(path, error);
  } finally {
    db?.close();
    removeMade(path, before);
  }
}

interface Companions {
  wal: number | undefined;
  shm: number | undefined;
}

const sizeIfThere = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;
const companionsOf = (path: string): Companions => ({
  wal: sizeIfThere(`${path}-wal`),
  shm: sizeIfThere(`${path}-shm`),
});

/**
 * Reading a database in WAL mode makes an index in shared memory, and an empty WAL where there was none.
 *
 * HAZARD: whoever has begun to use that index meanwhile must not lose it. Where there was no WAL, SQLite sees to that: a
 * connection that may write removes both as it closes, if it is the last, and has nothing to write.
 */
function removeMade(path: string, before: Companions): void {
  if (before.shm !== undefined || sizeIfThere(`${path}-shm`) === undefined) return;
  if (before.wal === undefined) closeInOrder(path);
  else if (sizeIfThere(`${path}-wal`) === before.wal) rmSync(`${path}-shm`, { force: true });
}

function closeInOrder(path: string): void {
  let db: Connection | undefined;
  try {
    db = openToLock(path);
    db.prepare('SELECT 1 FROM sqlite_schema').get();
  } catch {
    // In use by now, or not to be written by this user: then what was made stays, and does no harm.
  } finally {
    db?.close();
  }
}
