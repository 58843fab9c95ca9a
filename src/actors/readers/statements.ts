import type { Statement } from 'better-sqlite3';
import type { Connection } from '../database.ts';
import { runJson, SHOWN_BYTES } from './render.ts';

/** More shapes of lists than anyone asks for. */
const MAX_STATEMENTS = 256;

/** Prepared statements by their text, the least recently used dropped first. */
export class Statements {
  readonly #db: Connection;
  readonly #prepared = new Map<string, Statement>();

  readonly #rendering = new Map<string, Statement>();
  readonly #shownBytes: number;

  /** @param shownBytes of a run's value; a longer one is shown as its size */
  constructor(db: Connection, shownBytes = SHOWN_BYTES) {
    this.#db = db;
    this.#shownBytes = shownBytes;
  }

  /** A statement that renders runs, as bytes. @param select an SQL expression of the JSON @param from where the rows come from */
  rendering(select: 'group_concat' | '', from: string): Statement {
    let statement = this.#rendering.get(from);
    if (!statement) {
      statement = this.#db.prepare(`SELECT CAST(${select}(${runJson(this.#shownBytes)}) AS BLOB) ${from}`).raw();
      this.#rendering.set(from, statement);
    }
    return statement;
  }

  /** A statement whose rows come as arrays of values. */
  raw(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement) this.#prepared.delete(sql);
    else {
      statement = this.#db.prepare(sql);
      if (statement.reader) statement.raw();
      const oldest = this.#prepared.keys().next().value;
      if (this.#prepared.size >= MAX_STATEMENTS && oldest !== undefined) this.#prepared.delete(oldest);
    }
    this.#prepared.set(sql, statement);
    return statement;
  }
}
