/**
 * The bare loop: rows into a SQLite file by nothing but better-sqlite3, in this process. It is what the machine gives at
 * most: the service's connection, the service's statement, a COMMIT and an fsync of the folder, and nothing around them.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Connection, openWritable } from '../src/actors/database.ts';
import { migrate, readMigrations } from '../src/actors/writer/migrate.ts';
import { COLUMNS, rowOf, type SqlValue, timestampOf } from '../src/run.ts';
import { makeRun, type Run } from './runs.ts';

/** The values of a row in the order of the statement's parameters. */
export type BareRow = SqlValue[];

/** The columns of a row, in the order of its values. */
export const NAMES: readonly string[] = [...COLUMNS, 'defaulted'];
const INSERT = `INSERT INTO agent_runs (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')})`;
/** Rows a commit while a file is filled. */
const FILLED_AT_ONCE = 5_000;

const DEFAULTS = {
  lockFile: undefined,
  journalMode: 'DELETE',
  synchronous: 'FULL',
  busyTimeoutMs: 1_000,
  autoMigrateMaxRows: 0,
} as const;

let lastTime = 0;

/**
 * New rows, a millisecond apart; made before a clock starts. The same rows may go into several files.
 *
 * @param change fields that are to differ from those of the templates
 */
export function makeRows(count: number, change: (index: number) => Run = () => ({})): BareRow[] {
  return Array.from({ length: count }, (_, index) => {
    lastTime = Math.max(lastTime + 1, Date.now());
    const at = timestampOf(lastTime);
    const { values, defaulted } = rowOf({ ...makeRun(at), ...change(index) }, at);
    return [...values, defaulted];
  });
}

/** Makes the newest schema, which has all that the service has. */
export const newestSchema = (db: Connection): void => void migrate(db, 0, readMigrations());

/** A fresh database file with the pragmas of the service's writer; nobody else may have it open. */
export class BareFile implements Disposable {
  readonly db: Connection;
  /** The folder, open to be synced. */
  readonly directory: number;
  readonly #insert;

  /**
   * @param path of a file that is not there yet
   * @param before rows that are in it before anything is measured
   * @param schema makes the tables and indexes
   */
  constructor(path: string, before: readonly BareRow[] = [], schema = newestSchema) {
    this.db = openWritable({ path, ...DEFAULTS });
    this.directory = openSync(dirname(path), 'r');
    schema(this.db);
    this.#insert = this.db.prepare(INSERT);
    // Durably too: what is left unsynced here, the first measured commit would have to write.
    this.store(before, FILLED_AT_ONCE);
  }

  /** Stores rows, so many a commit, each commit as durable as the service's. @returns rows a second */
  store(rows: readonly BareRow[], perCommit: number): number {
    const started = performance.now();
    for (let from = 0; from < rows.length; from += perCommit) {
      const end = Math.min(from + perCommit, rows.length);
      this.commit(() => {
        for (let index = from; index < end; index++) this.#insert.run(rows[index] as BareRow);
      });
    }
    return (rows.length * 1_000) / (performance.now() - started);
  }

  /** A transaction as durable as the service's. @returns milliseconds */
  commit(work: () => void): number {
    const started = performance.now();
    this.db.exec('BEGIN IMMEDIATE');
    work();
    this.db.exec('COMMIT');
    fsyncSync(this.directory);
    return performance.now() - started;
  }

  [Symbol.dispose](): void {
    this.db.close();
    closeSync(this.directory);
  }
}
