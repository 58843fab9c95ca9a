/**
 * Counts the runs anew, a window of ids at a time between groups, into counts of its own; commits
 * that meanwhile change rows it has passed are added to them. Its end replaces the rollup tables, and
 * removes what belonged to runs that another program has deleted.
 */
import { type Connection, ROW_ID } from '../database.ts';
import type { RowId } from '../protocol.ts';
import { addTo, BELOW_ALL, type Counts, countWindow, emptyCounts, type Rollups, windowBehind } from './rollups.ts';

/** What belongs to a run, by its id. */
const BELONGINGS = ['run_clocks', 'run_originals'] as const;
const ABOVE_ALL = 1e19;
/** Orphans removed at the end of one recount; the others wait for the next. */
const MAX_ORPHANS = 100_000;

export class Recount {
  readonly #db: Connection;
  readonly #counts: Counts = emptyCounts();
  readonly #orphans: [table: (typeof BELONGINGS)[number], id: RowId][] = [];
  #passed: RowId = BELOW_ALL;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Whether a change of this row must be added: it lies in what was counted already. */
  covers(id: RowId): boolean {
    return typeof id === 'number' && typeof this.#passed === 'number'
      ? id <= this.#passed
      : BigInt(id) <= BigInt(this.#passed);
  }

  /** Adds what a commit changed in the rows it `covers`. */
  add(changes: Counts): void {
    for (const [key, by] of changes.runs) addTo(this.#counts.runs, key, by);
    for (const [hour, by] of changes.hours) addTo(this.#counts.hours, hour, by);
  }

  /** Counts on for about `budgetMs`. @returns whether every row has been counted */
  step(budgetMs: number): boolean {
    const deadline = performance.now() + budgetMs;
    do {
      const window = windowBehind(this.#db, this.#passed);
      this.#findOrphans(this.#passed, window?.[1] ?? ABOVE_ALL);
      if (!window) return true;
      countWindow(this.#db, ...window, this.#counts);
      this.#passed = window[1];
    } while (performance.now() < deadline);
    return false;
  }

  /** Puts the counts into the tables; inside a transaction, once `step` has said true. */
  finish(rollups: Rollups): void {
    rollups.replace(this.#counts);
    for (const [table, id] of this.#orphans) {
      // A new run may have been given the id meanwhile.
      this.#db
        .prepare(`DELETE FROM ${table} WHERE id = ? AND NOT EXISTS (SELECT 1 FROM agent_runs WHERE agent_runs.id = ?)`)
        .run(id, id);
    }
  }

  #findOrphans(after: RowId, upTo: RowId): void {
    for (const table of BELONGINGS) {
      const sql = `SELECT ${ROW_ID} FROM ${table} WHERE id > ? AND id <= ?
        AND NOT EXISTS (SELECT 1 FROM agent_runs WHERE agent_runs.id = ${table}.id) LIMIT ?`;
      const room = MAX_ORPHANS - this.#orphans.length;
      const ids = this.#db.prepare(sql).pluck().all(after, upTo, room) as RowId[];
      for (const id of ids) this.#orphans.push([table, id]);
    }
  }
}
