/** Where `verify` has the service put the copy that it checks, and what killed ones left. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { linkStatOf, removeWhole } from './files.ts';
import { isAlive } from './in-use.ts';

const COPY = /^\.(\d+)-[0-9a-f]+\.verifying$/;
/** A copy that is being made is written to more often; where processes are numbered anew (containers) that tells. */
const IDLE_MS = 60_000;

/** A name beside the database that no other process has. */
export const copyPathOf = (databasePath: string): string =>
  `${databasePath}.${process.pid}-${randomBytes(4).toString('hex')}.verifying`;

/** Removes the copies of processes that are no more; those of others stay, and so does what cannot be removed. */
export function removeDeadCopies(databasePath: string, now = Date.now()): void {
  const [folder, name] = [dirname(databasePath), basename(databasePath)];
  try {
    for (const found of readdirSync(folder)) {
      const pid = found.startsWith(name) ? COPY.exec(found.slice(name.length))?.[1] : undefined;
      if (pid === undefined || isAlive(Number(pid))) continue;
      const { mtimeMs = now } = linkStatOf(join(folder, found)) ?? {};
      if (now - mtimeMs > IDLE_MS) removeWhole(join(folder, found));
    }
  } catch {
    // They take room and are in nobody's way; doctor names them.
  }
}
