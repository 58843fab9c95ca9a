/**
 * The runs of another telemetry database, of this version or an earlier one, as records. It is only read, and in short
 * windows, for a service may be writing to it.
 */
import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, openReadonly } from '../actors/database.ts';
import { isBusy } from '../actors/faults.ts';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { FIELD_INDEX } from '../run.ts';
import { type Converter, converterOf, derivedEventId, type OlderValue, type Sha1 } from '../run/older.ts';
import { recordOf } from './source/record.ts';
import { readShape, type SourceShape } from './source/shape.ts';

export interface SourceRun {
  /** The row's number. */
  id: number;
  record: Record<string, unknown>;
  /** What was lost or guessed where the row was not as this version has it. */
  repairs: readonly string[];
}

const WINDOW_RUNS = 500;
/** Characters and bytes of one window; it ends with the run that reaches them. */
const WINDOW_SIZE = 4 * 1024 * 1024;
const BUSY_TIMEOUT_MS = 250;
/** How long it waits for a program that has the file locked. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 50;
/** Ids that several rows have, held in memory. */
const MAX_REPEATED = 200_000;

const sha1: Sha1 = (bytes) => hash('sha1', bytes, 'buffer');
const { event_id, run_id } = FIELD_INDEX;

export class RunSource implements Disposable {
  readonly shape: SourceShape;
  readonly #path: string;
  readonly #db: Connection;
  readonly #convert: Converter;
  /** Ids that more than one row has: the first keeps it, the others get one of their own. */
  readonly #repeated: Set<string>;
  readonly #taken = new Set<string>();

  private constructor(path: string, db: Connection) {
    this.#path = path;
    this.#db = db;
    this.shape = readShape(db, path);
    this.#convert = converterOf(this.shape.columns, sha1, true);
    this.#repeated = this.shape.ours ? new Set() : repeatedIn(db, this.shape, path);
  }

  /** @throws TelemetryError "refused" for what is no telemetry database, or cannot be read as it is */
  static open(path: string): Promise<RunSource> {
    return patiently(path, () => {
      const db = openReadonly(path, BUSY_TIMEOUT_MS);
      try {
        return new RunSource(path, db);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  /** All runs in the order of their rows, a window at a time. @throws TelemetryError */
  async *windows(): AsyncGenerator<SourceRun[]> {
    const { select, keySize } = this.shape;
    const first = this.#db
      .prepare(`${select('')} LIMIT ${WINDOW_RUNS}`)
      .raw()
      .safeIntegers();
    const next = this.#db
      .prepare(`${select('after')} LIMIT ${WINDOW_RUNS}`)
      .raw()
      .safeIntegers();
    let key: OlderValue[] | undefined;
    let count = 0;
    for (;;) {
      const rows = await patiently(this.#path, () =>
        windowOf(key === undefined ? first.iterate() : next.iterate(...key)),
      );
      const last = rows.at(-1);
      if (!last) return;
      key = last.slice(-keySize);
      yield rows.map((row) => this.#runOf(row, ++count));
    }
  }

  #runOf(row: OlderValue[], count: number): SourceRun {
    const { columns, hasRowid } = this.shape;
    const id = hasRowid ? Number(row.at(-1)) : count;
    const { values, defaulted, repairs, eventIdGiven } = this.#convert(row.slice(0, columns.length), id);
    const eventId = String(values[event_id]);
    const repeated = eventIdGiven ? eventId : `run_id ${String(values[run_id])}`;
    if (this.#taken.has(repeated)) {
      if (eventIdGiven) repairs.push('event_id: taken by another run, derived from the run_id');
      values[event_id] = derivedEventId(sha1, String(values[run_id]), id);
    }
    if (this.#repeated.has(repeated)) this.#taken.add(repeated);
    const bits = this.shape.ours ? Number(row[columns.length]) : defaulted;
    return { id, record: recordOf(values, bits), repairs };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** Reads again where a writer just has the file for itself. */
async function patiently<T>(path: string, read: () => T): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw toRefusal(path, error);
    }
    await pause(RETRY_MS);
  }
}

/** The rows of one window; its statement ends with it, and with that the lock. */
function windowOf(rows: IterableIterator<unknown>): OlderValue[][] {
  const window: OlderValue[][] = [];
  let size = 0;
  for (const row of rows as IterableIterator<OlderValue[]>) {
    window.push(row);
    for (const value of row) if (typeof value === 'string' || value instanceof Uint8Array) size += value.length;
    if (size >= WINDOW_SIZE) break;
  }
  return window;
}

function repeatedIn(db: Connection, { table, columns }: SourceShape, path: string): Set<string> {
  const has = (name: string): boolean => columns.some((column) => column.toLowerCase() === name);
  const given = has('event_id') ? "coalesce(event_id, '') <> ''" : '0';
  const find = (column: string, where: string): string[] =>
    db
      .prepare(
        `SELECT CAST(${column} AS TEXT) FROM ${table} WHERE ${where} GROUP BY 1 HAVING count(*) > 1 LIMIT ${MAX_REPEATED + 1}`,
      )
      .pluck()
      .all() as string[];
  // On disk, for it may sort all runs.
  db.pragma('temp_store = FILE');
  const eventIds = has('event_id') ? find('event_id', given) : [];
  const runIds = has('run_id') ? find('run_id', `NOT (${given})`).map((id) => `run_id ${id}`) : [];
  if (Math.max(eventIds.length, runIds.length) <= MAX_REPEATED) return new Set([...eventIds, ...runIds]);
  const why = `has more than ${MAX_REPEATED} ids that several runs share. Migrate a copy of it with local-telemetry migrate, and import that.`;
  throw new TelemetryError('refused', `The database ${path} ${why}`);
}

function toRefusal(path: string, error: unknown): unknown {
  if (error instanceof TelemetryError) return error;
  const code = systemCode(error) ?? '';
  if (!code.startsWith('SQLITE_')) return error;
  const refused = (why: string): TelemetryError =>
    new TelemetryError('refused', `The database ${path} ${why} It was not changed.`, { cause: error });
  if (isBusy(error)) return refused('is locked by another program. Stop that, or import a backup of the database.');
  if (/^SQLITE_(READONLY|CANTOPEN)/.test(code)) {
    return refused(
      `cannot be read as it is (${describe(error)}): a crash may have left it in the midst of a commit. Start its service once, then import it.`,
    );
  }
  return refused(
    `cannot be read to its end (${describe(error)}). Import a backup of it; what was read before is stored.`,
  );
}
