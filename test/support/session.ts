/** The writer's session without its thread. */
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { Gate } from '../../src/actors/gate.ts';
import { Session, type SessionOptions } from '../../src/actors/writer/session.ts';
import type { DatabaseConfig } from '../../src/config.ts';
import { databaseConfig, type Totals, rollupsOf, totalsOf } from './database.ts';

/** A session on the database of a folder; closed after the test at the latest, not yet opened. */
export function sessionIn(
  t: TestContext,
  directory: string,
  fields: Partial<DatabaseConfig> = {},
  options: Partial<SessionOptions> = {},
): Session {
  const database = databaseConfig(directory, fields);
  const techniques = { gate: true, directorySync: true, groupCommit: true };
  const session = new Session({ database, techniques, first: true, ...options }, new Gate());
  t.after(() => session.close());
  return session;
}

/** Runs something on a connection of its own, as a foreign program does. */
export function behindOurBack<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The rollups of a file, and what they should say. */
export function rollupsIn(path: string): { kept: Totals; true: Totals } {
  return behindOurBack(path, (db) => ({ kept: rollupsOf(db), true: totalsOf(db) }));
}

/** The header's change counter as our last commit left it. */
export function keptCounter(path: string): number | null {
  const sql = 'SELECT change_counter FROM rollup_state';
  return behindOurBack(path, (db) => db.prepare(sql).pluck().get() as number | null);
}
