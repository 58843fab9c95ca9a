/**
 * The counts that dashboards ask for, kept by the writer: each command notes what it changed, and
 * the group's sums go into the tables with its COMMIT, one UPSERT a distinct key.
 */
import type { Statement } from 'better-sqlite3';
import { FIELD_INDEX, type RowValues } from '../../run.ts';
import { type Connection, ROW_ID } from '../database.ts';
import { isBusy } from '../faults.ts';
import type { RowId } from '../protocol.ts';
import { Ever } from './ever.ts';

/** Counts by key: agent, job type and status as a JSON array (foreign rows may hold any character); or an hour. */
export interface Counts {
  runs: Map<string, number>;
  hours: Map<string, number>;
}

export const emptyCounts = (): Counts => ({ runs: new Map(), hours: new Map() });

export const runsKey = (agent: string, jobType: string, status: string): string =>
  JSON.stringify([agent, jobType, status]);

export function addTo(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

const { agent_name, job_type, status, created_at } = FIELD_INDEX;

/** A row's key. */
export const keyOf = (values: RowValues): string =>
  runsKey(String(values[agent_name]), String(values[job_type]), String(values[status]));

/** Counts a row in (`by` 1) or out (-1). @param key the row's, by `keyOf` */
export function countRow(counts: Counts, key: string, values: RowValues, by: 1 | -1): void {
  addTo(counts.runs, key, by);
  addTo(counts.hours, String(values[created_at]).slice(0, 13), by);
}

export interface RollupState {
  /** The header's change counter; null in WAL mode. */
  changeCounter: number | null;
  /** Whether the tables count every run. */
  trusted: boolean;
}

/** The rollup tables, on the writer's connection. */
export class Rollups {
  readonly #db: Connection;
  readonly #addRuns: Statement;
  readonly #addHour: Statement;
  readonly #dropRuns: Statement;
  readonly #dropHour: Statement;
  readonly #ever: Ever;
  readonly #setState: Statement;

  constructor(db: Connection) {
    this.#db = db;
    this.#addRuns = db.prepare(
      'INSERT INTO rollup_runs (agent_name, job_type, status, runs) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET runs = runs + excluded.runs',
    );
    this.#addHour = db.prepare(
      'INSERT INTO rollup_hours (hour, runs) VALUES (?, ?) ON CONFLICT DO UPDATE SET runs = runs + excluded.runs',
    );
    const key = 'agent_name = ? AND job_type = ? AND status = ?';
    this.#dropRuns = db.prepare(`DELETE FROM rollup_runs WHERE ${key} AND runs = 0`);
    this.#dropHour = db.prepare('DELETE FROM rollup_hours WHERE hour = ? AND runs = 0');
    this.#ever = new Ever(db);
    this.#setState = db.prepare(
      'INSERT INTO rollup_state (id, change_counter, trusted) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET change_counter = excluded.change_counter, trusted = excluded.trusted',
    );
  }

  /** Adds sums to the tables; inside the group's transaction. @param arrivals runs that came into a key */
  add({ runs, hours }: Counts, arrivals: ReadonlyMap<string, number> = new Map()): void {
    this.#ever.add(arrivals);
    this.#addCounts({ runs, hours });
  }

  #addCounts({ runs, hours }: Counts): void {
    for (const [text, by] of runs) {
      const key = JSON.parse(text) as string[];
      if (by !== 0) this.#addRuns.run(...key, by);
      // Only what went down: to look for others would be to look at all of them.
      if (by < 0) this.#dropRuns.run(...key);
    }
    for (const [hour, by] of hours) {
      if (by !== 0) this.#addHour.run(hour, by);
      if (by < 0) this.#dropHour.run(hour);
    }
  }

  /** Replaces the counts of what is there; inside a transaction. What has ever been is at least that. */
  replace(counts: Counts): void {
    this.#db.exec('DELETE FROM rollup_runs; DELETE FROM rollup_hours');
    this.#addCounts(counts);
    this.#ever.raise(counts.runs);
  }

  /** What our last commit left; nothing is trusted before the first. */
  state(): RollupState {
    const row = this.#db.prepare('SELECT change_counter, trusted FROM rollup_state').raw().get();
    const [changeCounter, trusted] = (row ?? [null, 0]) as [number | null, number];
    return { changeCounter, trusted: trusted === 1 };
  }

  setState({ changeCounter, trusted }: RollupState): void {
    this.#setState.run(changeCounter, trusted ? 1 : 0);
  }
}

/** Writes down that the counts are wrong, for the next connection of this process must not trust what this one saw through. */
export function distrust(db: Connection): void {
  try {
    new Rollups(db).setState({ changeCounter: null, trusted: false });
  } catch (error) {
    // Locked by another program just now: this connection knows it all the same.
    if (!isBusy(error)) throw error;
  }
}

/** Ids counted at a time. */
const WINDOW = 5_000n;
const MAX_ID = 2n ** 63n - 1n;
/** Below every id, those of foreign programs included. */
export const BELOW_ALL = -1e19;

/** The ids of the next rows behind `after`, both ends included; undefined where none follow. It jumps over what retention has emptied. */
export function windowBehind(db: Connection, after: RowId): [from: RowId, to: RowId] | undefined {
  const sql = `SELECT ${ROW_ID} FROM (SELECT min(id) AS id FROM agent_runs WHERE id > ?)`;
  const from = db.prepare(sql).pluck().get(after) as RowId | null;
  if (from === null) return undefined;
  const end = BigInt(from) + WINDOW - 1n;
  const to = end > MAX_ID ? MAX_ID : end;
  return [from, Number.isSafeInteger(Number(to)) ? Number(to) : String(to)];
}

/** The true counts of a window of ids, both ends included. */
export function countWindow(db: Connection, from: RowId, to: RowId, into: Counts): void {
  const rows = db
    .prepare(
      // A foreign program may have stored anything, blobs too.
      `SELECT CAST(agent_name AS TEXT), CAST(job_type AS TEXT), CAST(status AS TEXT), substr(CAST(created_at AS TEXT), 1, 13), count(*)
       FROM agent_runs WHERE id >= ? AND id <= ? GROUP BY 1, 2, 3, 4`,
    )
    .raw()
    .all(from, to) as [string, string, string, string, number][];
  for (const [agent, job, state, hour, runs] of rows) {
    addTo(into.runs, runsKey(agent, job, state), runs);
    addTo(into.hours, hour, runs);
  }
}
