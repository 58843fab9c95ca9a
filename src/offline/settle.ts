/** Makes a copy of a database one that may be kept or put in place: complete in one file, checked, its counts right. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { openReadonly } from '../actors/database.ts';
import { nextChangeCounter, readChangeCounter } from '../actors/writer/header.ts';
import { Rollups } from '../actors/writer/rollups.ts';
import { describe } from '../errors.ts';
import { SCHEMA_VERSION } from '../run.ts';
import { everOf } from './ever.ts';
import { isTrouble } from './files.ts';
import { foreignKeyProblems, integrityProblems } from './checks.ts';
import { openClosed } from './open.ts';
import { rollupDifferences } from './rollups.ts';
import { countRuns, madeAt, schemaVersion } from './version.ts';

export interface Settled {
  /** Undefined for a database that is not ours; 0 where runs are there and no version is recorded. */
  schemaVersion: number | undefined;
  runs: number;
  /** What SQLite's checks found; the copy is no good then. */
  problems: string[];
  /** Rows that refer to rows that are not there: another program's work, which the next start sets right. */
  orphans: string[];
}

const BUSY_TIMEOUT_MS = 1_000;

/** What a mark in the header is made of: when the schema was made, as the copy says. */
export type Mark = (made: string) => number;

/**
 * Settles a copy that nothing else has open. A journal or WAL beside it is brought in, and it becomes a database with a
 * rollback journal, so that one file is all of it. The next start trusts its counts if they are right, and counts anew
 * if they are not. Older schemas stay as they are.
 *
 * HAZARD: reads the header with `fs`, so no connection of this process may be open on the file.
 *
 * @param mark for its header; without it the header stays
 * @throws the error where the disk, the system or another program is in the way: nothing is known of the copy then
 */
export function settle(path: string, mark?: Mark): Settled {
  try {
    toRollbackJournal(path, mark);
    const look = lookAt(path);
    if (look.trusts !== undefined) keepCounts(path, look.trusts);
    syncFile(path);
    return look;
  } catch (error) {
    if (isTrouble(error)) throw error;
    // Too damaged to be opened, or to be read to its end.
    return { schemaVersion: undefined, runs: 0, problems: [describe(error)], orphans: [] };
  }
}

function toRollbackJournal(path: string, mark: Mark | undefined): void {
  const db = openClosed(path);
  try {
    const mode = String(db.pragma('journal_mode = DELETE', { simple: true }));
    if (mode !== 'delete') throw new Error(`SQLite kept the journal mode ${mode}`);
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    if (mark !== undefined && schemaVersion(db) !== undefined) db.pragma(`application_id = ${mark(madeAt(db))}`);
  } finally {
    db.close();
  }
}

/** `trusts`: whether the counts may be trusted; undefined where the schema keeps none, or the copy is no good. */
function lookAt(path: string): Settled & { trusts?: boolean } {
  const db = openReadonly(path, BUSY_TIMEOUT_MS);
  try {
    const problems = integrityProblems(db);
    const version = problems.length === 0 ? schemaVersion(db) : undefined;
    const look = { schemaVersion: version, runs: version === undefined ? 0 : countRuns(db), problems, orphans: [] };
    // Older schemas have references that cannot hold; the migration drops them.
    if (version !== SCHEMA_VERSION) return look;
    const orphans = foreignKeyProblems(db);
    // A database of a version in between: the next start completes its schema, and counts anew.
    if (everOf(db, 0) === undefined) return { ...look, orphans };
    const right = orphans.length === 0 && rollupDifferences(db).length === 0;
    return { ...look, orphans, trusts: right && new Rollups(db).state().trusted };
  } finally {
    db.close();
  }
}

/** A copy has a change counter of its own: the kept one becomes what this very commit makes of it. */
function keepCounts(path: string, trusted: boolean): void {
  const changeCounter = nextChangeCounter(readChangeCounter(path));
  const db = openClosed(path);
  try {
    new Rollups(db).setState({ changeCounter, trusted });
  } finally {
    db.close();
  }
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
