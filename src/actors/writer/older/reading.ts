/** Looks into an older database and leaves everything as it was: the file, its journal, its WAL. */
import { rmSync, statSync } from 'node:fs';
import type { Connection } from '../../database.ts';
import { openToRead } from './open.ts';
import { refused, toRefusal } from './refusal.ts';

/** @throws TelemetryError "refused" where there is no file that could be a database of one name */
export function requireFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refused(path, 'does not exist. Set TELEMETRY_DB_PATH to the older database.');
  if (!found.isFile()) throw refused(path, 'is not a file. Set TELEMETRY_DB_PATH to a file.');
  if (found.size === 0)
    throw refused(path, 'is empty: there is nothing to migrate. Start the service: it makes a new one of it.');
  if (found.nlink > 1) {
    throw refused(
      path,
      `has ${found.nlink} names (hard links). Remove the others, or copy it with cp and migrate the copy.`,
    );
  }
}

/** Whether SQLite keeps changes in a file of its own beside it. */
export const walSize = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

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

/** Reading a database in WAL mode makes an index in shared memory, and an empty WAL where there was none. */
function removeMade(path: string, before: Companions): void {
  // Where the WAL has grown, somebody else is using the index by now.
  if (before.shm !== undefined || (sizeIfThere(`${path}-wal`) ?? 0) !== (before.wal ?? 0)) return;
  rmSync(`${path}-shm`, { force: true });
  if (before.wal === undefined) rmSync(`${path}-wal`, { force: true });
}
