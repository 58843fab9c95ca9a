/** How many runs have ever come into each agent, job type and status: what Prometheus must never see fall. */
import type { Connection } from '../actors/database.ts';
import { Ever } from '../actors/writer/ever.ts';
import { nextChangeCounter, readChangeCounter } from '../actors/writer/header.ts';
import { Rollups, runsKey } from '../actors/writer/rollups.ts';
import { openClosed } from './open.ts';

/** By key (writer/rollups.ts), in the order in which they came. */
export type EverCounts = ReadonlyMap<string, number>;

/**
 * @param most keys that are read
 * @returns undefined where the database does not keep it
 * @throws SQLite's error
 */
export function everOf(db: Connection, most = -1): EverCounts | undefined {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'rollup_ever'").get() === undefined)
    return undefined;
  const rows = db
    .prepare(
      // Another program may have written anything.
      `SELECT CAST(agent_name AS TEXT), CAST(job_type AS TEXT), CAST(status AS TEXT), runs FROM rollup_ever
       WHERE typeof(runs) = 'integer' AND runs BETWEEN 1 AND ${Number.MAX_SAFE_INTEGER} ORDER BY id LIMIT ?`,
    )
    .raw()
    .iterate(most) as IterableIterator<[string, string, string, number]>;
  const ever = new Map<string, number>();
  for (const [agent, job, status, runs] of rows) ever.set(runsKey(agent, job, status), runs);
  return ever;
}

/**
 * Makes what a settled copy keeps at least that, in one transaction. Whether the copy's counts are trusted stays.
 *
 * HAZARD: reads the header with `fs`, so no connection of this process may be open on the file.
 *
 * @throws the error where the disk is full or fails; the copy is as it was then
 */
export function raiseEver(path: string, ever: EverCounts): void {
  const changeCounter = nextChangeCounter(readChangeCounter(path));
  const db = openClosed(path);
  try {
    if (everOf(db, 0) === undefined) return;
    const rollups = new Rollups(db);
    db.transaction(() => {
      new Ever(db).raise(ever);
      rollups.setState({ changeCounter, trusted: rollups.state().trusted });
    })();
  } finally {
    db.close();
  }
}
