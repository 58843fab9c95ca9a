/**
 * How many runs have ever come into each agent, job type and status: counters that only grow, for Prometheus. A run that is
 * deleted or changed takes none away.
 */
import type { Statement } from 'better-sqlite3';
import type { Connection } from '../database.ts';

/** Combinations told apart, those that came first; TELEMETRY_METRICS_MAX_SERIES is at most that. */
const MAX_COMBINATIONS = 10_000;
const OTHER = '(other)';

export type Key = [agentName: string, jobType: string, status: string];

export class Ever {
  readonly #update: Statement;
  readonly #insert: Statement;
  readonly #raise: Statement;
  readonly #combinations: Statement;
  readonly #most: number;

  constructor(db: Connection, most = MAX_COMBINATIONS) {
    const key = 'agent_name = ? AND job_type = ? AND status = ?';
    this.#update = db.prepare(`UPDATE rollup_ever SET runs = runs + ? WHERE ${key}`);
    this.#raise = db.prepare(`UPDATE rollup_ever SET runs = max(runs, ?) WHERE ${key}`);
    this.#insert = db.prepare('INSERT INTO rollup_ever (runs, agent_name, job_type, status) VALUES (?, ?, ?, ?)');
    // None is ever deleted, so the greatest id is their number.
    this.#combinations = db.prepare('SELECT coalesce(max(id), 0) FROM rollup_ever').pluck();
    this.#most = most;
  }

  /** Adds runs that came, by key. */
  add(arrivals: ReadonlyMap<string, number>): void {
    for (const [text, runs] of arrivals) {
      const key = JSON.parse(text) as Key;
      if (this.#update.run(runs, ...key).changes > 0) continue;
      if (this.#hasRoom()) this.#insert.run(runs, ...key);
      else this.#put(this.#update, runs, otherOf(key));
    }
  }

  /** Makes each at least what is there, after a count of all. */
  raise(counts: ReadonlyMap<string, number>): void {
    const others = new Map<string, [key: Key, runs: number]>();
    for (const [text, runs] of counts) {
      const key = JSON.parse(text) as Key;
      if (this.#raise.run(runs, ...key).changes > 0) continue;
      if (this.#hasRoom()) this.#insert.run(runs, ...key);
      else others.set(key[2], [otherOf(key), (others.get(key[2])?.[1] ?? 0) + runs]);
    }
    for (const [key, runs] of others.values()) this.#put(this.#raise, runs, key);
  }

  #put(update: Statement, runs: number, key: Key): void {
    if (update.run(runs, ...key).changes === 0) this.#insert.run(runs, ...key);
  }

  #hasRoom(): boolean {
    return (this.#combinations.get() as number) < this.#most;
  }
}

/** Where the runs of a combination are counted that has no row of its own. */
export const otherOf = ([, , status]: Key): Key => [OTHER, OTHER, status];
