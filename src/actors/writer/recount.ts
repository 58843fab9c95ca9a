/**
 * Counts the runs anew, a window of ids at a time between groups, into counts of its own; commits
 * that meanwhile change rows it has passed are added to them. Its end replaces the rollup tables.
 */
import type { Connection } from '../database.ts';
import { addTo, type Counts, countWindow, emptyCounts, type Rollups } from './rollups.ts';

const WINDOW = 5_000;

export class Recount {
  readonly #db: Connection;
  readonly #counts: Counts = emptyCounts();
  #passed = 0;

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
      if (next === null) return true;
      countWindow(this.#db, next - 1, next - 1 + WINDOW, this.#counts);
      this.#passed = next - 1 + WINDOW;
    } while (performance.now() < deadline);
    return false;
  }

  /** Puts the counts into the tables; inside a transaction, once `step` has said true. */
  finish(rollups: Rollups): void {
    rollups.replace(this.#counts);
  }
}
