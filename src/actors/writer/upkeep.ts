/**
 * Work on rows of before, a window of ids at a time between groups: what a release before this did not store. How far it has
 * come is stored in the transaction of the rows, so that it goes on wherever it ends. A row that another program adds later is
 * none of its business.
 */
import type { Connection } from '../database.ts';
import type { Note } from '../protocol.ts';
import { addresses, durations } from './upkeep/jobs.ts';

/** One kind of work. */
export interface Job {
  name: string;
  /** @returns what does the rows of a window, `after` < id <= `upTo`, within a transaction, and tells how many it changed */
  on(db: Connection): (after: number, upTo: number) => number;
}

/** What was done in one transaction. */
export interface Slice {
  changed: number;
  /** The job has come to its end. */
  ended: boolean;
}

/** Ids done between two looks at the clock. */
const WINDOW = 200;
const FIRST = Number.MIN_SAFE_INTEGER;
/** The position of a job that is done; migrations/0009 writes it where there are no rows of before. */
const DONE = Number.MAX_SAFE_INTEGER;

const JOBS: readonly Job[] = [durations, addresses];

export class Upkeep {
  readonly #db: Connection;
  /** The first is worked on. */
  readonly #jobs: Job[];
  /** The greatest id when the job began, or went on after a start. */
  #last: number | undefined;
  #changed = 0;

  constructor(db: Connection, jobs = JOBS) {
    this.#db = db;
    this.#jobs = [...jobs];
  }

  /** Whether there may be something to do. */
  get pending(): boolean {
    return this.#jobs.length > 0;
  }

  /**
   * Goes on for about `budgetMs`; inside a transaction. To be told by `passed` once that is committed.
   *
   * @returns undefined where nothing is left to do, and nothing was written
   */
  step(budgetMs: number): Slice | undefined {
    const deadline = performance.now() + budgetMs;
    while (this.#jobs[0] && this.#positionOf(this.#jobs[0]) === DONE) this.#jobs.shift();
    const [job] = this.#jobs;
    if (!job) return undefined;
    const work = job.on(this.#db);
    const nextId = this.#db.prepare('SELECT min(id) FROM agent_runs WHERE id > ?').pluck();
    // Greater ids are no numbers here that one could count on with.
    const greatest = this.#db.prepare('SELECT coalesce(max(id), ?) FROM agent_runs WHERE id < ?').pluck();
    this.#last ??= greatest.get(FIRST, DONE) as number;
    let position = this.#positionOf(job);
    let changed = 0;
    do {
      // Jumps over ids that retention has emptied.
      const next = (position < this.#last ? nextId.get(position) : null) as number | null;
      const upTo = next === null ? this.#last : Math.min(next - 1 + WINDOW, this.#last);
      if (next !== null && next <= upTo) changed += work(next - 1, upTo);
      position = Math.max(position, upTo);
    } while (position < this.#last && performance.now() < deadline);
    const ended = position >= this.#last;
    this.#db
      .prepare(
        'INSERT INTO upkeep (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position',
      )
      .run(job.name, ended ? DONE : position);
    return { changed, ended };
  }

  /** A slice is committed. @returns what to say at the end of a job that has changed rows since the start */
  passed({ changed, ended }: Slice): Note | undefined {
    this.#changed += changed;
    if (!ended) return undefined;
    const fields = { work: this.#jobs.shift()?.name, changed: this.#changed };
    this.#changed = 0;
    this.#last = undefined;
    return fields.changed === 0 ? undefined : { level: 'info', message: 'Older runs are completed', fields };
  }

  #positionOf({ name }: Job): number {
    const position = this.#db.prepare('SELECT position FROM upkeep WHERE name = ?').pluck().get(name);
    return (position as number | undefined) ?? FIRST;
  }
}
