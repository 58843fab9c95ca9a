/** The rows of runs on the writer's connection: find, insert, replace. No commands, no transactions. */
import type { Statement } from 'better-sqlite3';
import { COLUMNS, FIELD_INDEX, type Originals, type Row, type RowValues, type SqlValue } from '../../run.ts';
import { addressBook } from '../../run/urls.ts';
import { type Connection, ROW_ID } from '../database.ts';
import type { RowId } from '../protocol.ts';
import { type Cancelled, type ClockedRow, type Clocks, parseClocks, serialiseClocks } from './clocks.ts';

export interface StoredRow extends Row {
  id: RowId;
}

/** Prepared UPDATEs kept, one a set of columns. */
const MAX_UPDATES = 200;

const columns = [...COLUMNS, 'defaulted'];
/** What readers would otherwise derive at each list. */
const ADDRESSES = ['repo_url', 'commits_url'] as const;

/** Of a row of more bytes, which a foreign program has stored, long values are not loaded; whoever changes the run leaves them. */
const MOST_BYTES = 64 * 1024 * 1024;
const LONG_BYTES = 64 * 1024;
const BYTES = COLUMNS.map((name) => `ifnull(octet_length(${name}), 0)`).join(' + ');
const bounded = COLUMNS.map(
  (name) => `iif(octet_length(${name}) > ${LONG_BYTES}, '… (' || octet_length(${name}) || ' bytes)', ${name})`,
);

// Joined by SQLite, which leaves the numbers that a migration has kept as they are written.
const KEEP = `
  INSERT INTO run_originals (id, reasons, original) VALUES (?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    reasons = CASE json_valid(reasons) WHEN 1 THEN
      (SELECT json_group_array(value) FROM
        (SELECT value FROM json_each(run_originals.reasons) UNION SELECT value FROM json_each(excluded.reasons)))
      ELSE excluded.reasons END,
    original = CASE json_valid(original) WHEN 1 THEN json_patch(original, excluded.original) ELSE excluded.original END`;

export class Store {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #findLarge: Statement;
  readonly #db: Connection;
  readonly #updates = new Map<string, Statement>();
  readonly #clocks: Statement;
  readonly #setClocks: Statement;
  readonly #keep: Statement;
  readonly #addressesOf = addressBook();

  constructor(db: Connection) {
    this.#db = db;
    // ON CONFLICT names the one constraint meant; OR IGNORE would swallow every other as well.
    this.#insert = db
      .prepare(
        `INSERT INTO agent_runs (${[...columns, ...ADDRESSES].join(', ')})
       VALUES (${[...columns, ...ADDRESSES].map(() => '?').join(', ')})
       ON CONFLICT (event_id) DO NOTHING`,
      )
      .safeIntegers();
    const select = (names: readonly string[]): string =>
      `SELECT ${names.join(', ')}, defaulted, ${ROW_ID} FROM agent_runs WHERE event_id = ?`;
    this.#find = db.prepare(`${select(COLUMNS)} AND ${BYTES} <= ${MOST_BYTES}`).raw();
    this.#findLarge = db.prepare(select(bounded)).raw();
    this.#clocks = db.prepare('SELECT clocks FROM run_clocks WHERE id = ?').pluck();
    this.#setClocks = db.prepare(
      'INSERT INTO run_clocks (id, clocks) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET clocks = excluded.clocks',
    );
    this.#keep = db.prepare(KEEP);
  }

  /** @returns the new row's id, or undefined where its event_id is known */
  insert(row: Row): RowId | undefined {
    if (!row.originals) return this.#insertRow(row);
    const { originals } = row;
    // Two statements: both, or neither.
    return this.#db.transaction(() => {
      const id = this.#insertRow(row);
      if (id !== undefined) this.keep(id, originals);
      return id;
    })();
  }

  #insertRow({ values, defaulted }: Row): RowId | undefined {
    const { repo, commits } = this.#addressesOf(values[git_repo]);
    values.push(defaulted, repo, commits);
    const result = this.#insert.run(values);
    values.length -= 3;
    if (result.changes === 0) return undefined;
    // Behind the greatest id there is SQLite takes any that is free, also one that is no number here.
    const id = Number(result.lastInsertRowid);
    return Number.isSafeInteger(id) ? id : String(result.lastInsertRowid);
  }

  find(eventId: string): StoredRow | undefined {
    const row = (this.#find.get(eventId) ?? this.#findLarge.get(eventId)) as (SqlValue | Buffer)[] | undefined;
    if (!row) return undefined;
    // Bytes that a foreign program has bound are the text that they are: clocks are made of it.
    const values = row.slice(0, COLUMNS.length) as RowValues;
    for (const [index, value] of row.entries()) {
      // Bytes that a foreign program has bound are the text that they are: clocks are made of it.
      if (value instanceof Buffer) values[index] = value.toString();
    }
    return { values, defaulted: Number(row[COLUMNS.length]), id: row[COLUMNS.length + 1] as RowId };
  }

  /** Undefined where there are none that can be read: another program may have written anything. */
  clocksOf(id: RowId): Clocks | undefined {
    const text = this.#clocks.get(id) as unknown;
    if (typeof text !== 'string') return undefined;
    try {
      const clocks = parseClocks(text);
      const { base, fields, cancelled = new Map<string, Cancelled>() } = clocks;
      const all = [base, ...fields.values(), ...[...cancelled.values()].map(({ clock }) => clock)];
      return all.every(isClock) ? clocks : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what could not be stored as it came, beside what is kept of the run already: of each field what came last. */
  keep(id: RowId, originals: Originals): void {
    const reasons = [...originals].map(([name, { why }]) => `${name}: ${why}`);
    const original = Object.fromEntries([...originals].map(([name, { was }]) => [name, was]));
    this.#keep.run(id, JSON.stringify(reasons), JSON.stringify(original));
  }

  /** Writes what differs between the two rows, and the clocks. */
  replace(id: RowId, before: Row, after: ClockedRow): void {
    const names: string[] = [];
    const values: SqlValue[] = [];
    for (const [index, value] of after.values.entries()) {
      if (value === before.values[index]) continue;
      names.push(COLUMNS[index] as string);
      values.push(value);
    }
    if (after.values[git_repo] !== before.values[git_repo]) {
      const { repo, commits } = this.#addressesOf(after.values[git_repo]);
      names.push(...ADDRESSES);
      values.push(repo, commits);
    }
    if (after.defaulted !== before.defaulted) {
      names.push('defaulted');
      values.push(after.defaulted);
    }
    if (names.length > 0) this.#update(names).run(...values, id);
    this.#setClocks.run(id, serialiseClocks(after.clocks));
  }

  // Only the columns that differ: SQLite rewrites every index whose column is named, changed or not.
  #update(names: string[]): Statement {
    const key = names.join();
    let statement = this.#updates.get(key);
    if (!statement) {
      if (this.#updates.size >= MAX_UPDATES) this.#updates.clear();
      statement = this.#db.prepare(
        `UPDATE agent_runs SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      );
      this.#updates.set(key, statement);
    }
    return statement;
  }
}

const { git_repo } = FIELD_INDEX;

const isClock = (clock: unknown): boolean =>
  Array.isArray(clock) && typeof clock[0] === 'number' && typeof clock[1] === 'string' && typeof clock[2] === 'string';

export const eventIdOf = (values: RowValues): string => String(values[FIELD_INDEX.event_id]);
export const runIdOf = (values: RowValues): string => String(values[FIELD_INDEX.run_id]);
