/** SQLite's own checks of a file: its pages and indexes, and what refers to what. */
import { describe } from '../errors.ts';
import { type Connection, openReadonly } from '../actors/database.ts';
import { isTrouble } from './files.ts';

/** Problems that are named; there may be one a page. */
export const MAX_PROBLEMS = 20;

/**
 * @param quick leaves out whether every index entry has its row, which takes most of the time
 * @returns the first problems, one a line; empty where there is none
 * @throws what says nothing of the file: an error of the disk, a lock
 */
export function integrityProblems(db: Connection, quick = false): string[] {
  try {
    const rows = db.pragma(`${quick ? 'quick_check' : 'integrity_check'}(${MAX_PROBLEMS})`) as Record<
      string,
      unknown
    >[];
    // One row may hold several, below a heading.
    const found = rows.flatMap((row) => String(Object.values(row)[0]).split('\n'));
    return found.filter((line) => line !== 'ok' && !/^\*{3} in database/.test(line)).slice(0, MAX_PROBLEMS);
  } catch (error) {
    if (isTrouble(error)) throw error;
    // So damaged that even the check cannot go on.
    return [describe(error)];
  }
}

/** Rows that refer to a row that is not there. */
export function foreignKeyProblems(db: Connection): string[] {
  const found: string[] = [];
  try {
    const statement = db.prepare('SELECT "table", rowid, parent FROM pragma_foreign_key_check').raw();
    for (const row of statement.iterate()) {
      const [table, id, parent] = row as [string, number | null, string];
      found.push(`${table}: row ${id ?? '(unknown)'} refers to a row of ${parent} that is not there`);
      if (found.length === MAX_PROBLEMS) break;
    }
  } catch (error) {
    if (isTrouble(error)) throw error;
    found.push(describe(error));
  }
  return found;
}

/** A read-only connection to what really is a database. @throws the database's error */
export function openProven(path: string, busyTimeoutMs: number): Connection {
  const db = openReadonly(path, busyTimeoutMs);
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
