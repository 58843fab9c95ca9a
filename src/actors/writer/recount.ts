/**
 * Counts the runs anew, a window of ids at a time between groups, into counts of its own; commits
 * that meanwhile change rows it has passed are added to them. Its end replaces the rollup tables, and
 * removes what belonged to runs that another program has deleted.
 */
import type { Connection } from '../database.ts';
import { addTo, type Counts, countWindow, emptyCounts, type Rollups } from './rollups.ts';

const WINDOW = 5_000;
/** What belongs to a run, by its id. */
const BELONGINGS = ['run_clocks', 'run_originals'] as const;
/** Orphans removed at the end of one recount; the others wait for the next. */
const MAX_ORPHANS = 100_000;

export class Recount {
  readonly #db: Connection;
  readonly #counts: Counts = emptyCounts();
  readonly #orphans: [table: (typeof BELONGINGS)[number], id: number][] = [];
  // Ids below 1 are possible, if another program has given them.
  #passed = Number.MIN_SAFE_INTEGER;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Whether a change of this row must be added: it lies in what was counted already. */
  covers(id: number): boolean {
    return id <= this.#passed;
  }

  /** Adds what a commit changed in the rows it `covers`. */
  add(changes: Counts): void {
    for (const [key, by] of changes.runs) addTo(this.#counts.runs, key, by);
    for (const [hour, by] of changes.hours) addTo(this.#counts.hours, hour, by);
  }

  /** Counts on for about `budgetMs`. @returns whether every row has been counted */
  step(budgetMs: number): boolean {
    const deadline = performance.now() + budgetMs;
    const nextId = this.#db.prepare('SELECT min(id) FROM agent_runs WHERE id > ?').pluck();
    do {
      // Jumps over ids that retention has emptied.
      const next = nextId.get(this.#passed) as number | null;
      const passes = next === null ? Number.MAX_SAFE_INTEGER : next - 1 + WINDOW;
      this.#findOrphans(this.#passed, passes);
      if (next === null) return true;
      countWindow(this.#db, next - 1, passes, this.#counts);
      this.#passed = passes;
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

  #findOrphans(after: number, upTo: number): void {
    for (const table of BELONGINGS) {
      const sql = `SELECT id FROM ${table} WHERE id > ? AND id <= ?
        AND NOT EXISTS (SELECT 1 FROM agent_runs WHERE agent_runs.id = ${table}.id) LIMIT ?`;
      const room = MAX_ORPHANS - this.#orphans.length;
      const ids = this.#db.prepare(sql).pluck().all(after, upTo, room) as number[];
      for (const id of ids) this.#orphans.push([table, id]);
    }
  }
}
