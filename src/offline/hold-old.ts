/** The database that is about to be replaced, held against every other program by SQLite's own lock. */
import { type Connection, openReadonly } from '../actors/database.ts';
import { TelemetryError } from '../errors.ts';
import { type EverCounts, everOf } from './ever.ts';
import { BESIDE, isLocked, statOf } from './files.ts';
import { openClosed } from './open.ts';

const BUSY_TIMEOUT_MS = 250;
/** Twice what a writer keeps. */
const MOST_KEYS = 20_000;

export interface HeldOld extends Disposable {
  /** How many runs ever came into each key; empty where that cannot be read. */
  readonly ever: EverCounts;
}

/**
 * Keeps other programs out of a database while its names change: they would go on committing into the file that is moved
 * away, with a journal that lies beside the new one. A WAL is brought in first, which fails while anyone has the file open.
 * A file that is damaged or cannot be opened is not held: to replace it is what a restore is for. Nor is one with a hot
 * journal, which goes aside as it is: whoever takes a lock would play it in and remove it.
 *
 * HAZARD: until this is disposed of, nothing of this process may open the file otherwise.
 *
 * @param aside where an earlier restore, killed since, moved what lay beside it; without that the file is not complete
 * @throws TelemetryError "refused" where another program has it
 */
export function holdOld(path: string, aside: string | undefined): HeldOld {
  const nothing = { ever: new Map(), [Symbol.dispose]: () => undefined };
  // Where a file cannot have two names, it may have the second one only.
  const old = aside === undefined || statOf(path) ? path : aside;
  const besideSecond = aside !== undefined && BESIDE.some((suffix) => statOf(aside + suffix));
  const besideFirst = old === aside && BESIDE.some((suffix) => statOf(path + suffix));
  if (!statOf(old)?.isFile() || besideSecond || besideFirst) return nothing;
  let db: Connection | undefined;
  try {
    if (statOf(`${old}-journal`)) readWithout(old);
    db = openClosed(old);
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
    const held = db;
    return { ever: readableEver(held), [Symbol.dispose]: () => void held.close() };
  } catch (error) {
    db?.close();
    if (!isLocked(error)) return nothing;
    const why = `${path} is in use by another program, which would go on writing to the old file. Stop it, then restore. The database is as it was.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

/** It may be damaged, or of another version: then the counts begin anew. */
function readableEver(db: Connection): EverCounts {
  try {
    return everOf(db, MOST_KEYS) ?? new Map();
  } catch {
    return new Map();
  }
}

/** Reads without bringing a journal in: that of a program in the midst of a commit is not hot. @throws where it is */
function readWithout(path: string): void {
  const db = openReadonly(path, BUSY_TIMEOUT_MS);
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } finally {
    db.close();
  }
}
