/** The runs of an older database, each converted, into the new one. */
import { hash } from 'node:crypto';
import type { Statement } from 'better-sqlite3';
import { COLUMNS, FIELD_INDEX } from '../../../run.ts';
import {
  type Converter,
  type ConvertedRow,
  converterOf,
  derivedEventId,
  originalOf,
  type Sha1,
} from '../../../run/older.ts';
import { addressBook } from '../../../run/urls.ts';
import type { Connection } from '../../database.ts';
import type { Digest } from './digest.ts';
import type { Pace, Progress } from './pace.ts';
import { type OlderRow, type Reading, rowsOf } from './rows.ts';

/** In the order in which rows are written, digested and read back. */
export const RUN_COLUMNS = [...COLUMNS, 'defaulted', 'id', 'repo_url', 'commits_url'].join(', ');

/** Ids beyond this, or below 1, are no ids that anything counted up to. */
const MAX_ID = 2 ** 52;

const sha1: Sha1 = (bytes) => hash('sha1', bytes, 'buffer');
const { event_id, git_repo, run_id } = FIELD_INDEX;

export interface CopiedRuns {
  repaired: number;
  /** How often each repair was made. */
  repairs: Map<string, number>;
}

interface Digests {
  runs: Digest;
  originals: Digest;
}

/** @param limit of rows, for a sample */
export function* copyRuns(
  source: Reading,
  target: Connection,
  digests: Digests,
  pace: Pace,
  limit: number,
): Generator<Progress, CopiedRuns> {
  const copy = new RunCopy(source.table.columns, target, digests);
  let rows = 0;
  for (const [row, id, renumbered] of numbered(source)) {
    if (rows++ >= limit) break;
    copy.add(row, id, renumbered);
    if (pace.step()) yield pace.progress;
  }
  return copy.result;
}

/** Each row with its id: the older rowid; rows whose rowid is no id come last and are numbered on. */
function* numbered(source: Reading): Generator<[OlderRow, number, boolean]> {
  const { table } = source;
  let id = 0;
  if (!table.hasRowid) {
    for (const row of rowsOf(source)) yield [row, ++id, false];
    return;
  }
  const place = table.columns.length;
  const inside = `${table.key[0]} BETWEEN 1 AND ${MAX_ID}`;
  for (const row of rowsOf(source, inside)) {
    id = Number(row[place]);
    yield [row, id, false];
  }
  for (const row of rowsOf(source, `NOT (${inside})`)) yield [row, ++id, true];
}

class RunCopy {
  readonly result: CopiedRuns = { repaired: 0, repairs: new Map() };
  readonly #columns: readonly string[];
  readonly #convert: Converter;
  readonly #digests: Digests;
  readonly #insert: Statement;
  readonly #keep: Statement;
  readonly #addressesOf = addressBook();

  constructor(columns: readonly string[], target: Connection, digests: Digests) {
    this.#columns = columns;
    this.#convert = converterOf(columns, sha1);
    this.#digests = digests;
    const places = RUN_COLUMNS.split(', ').map(() => '?');
    this.#insert = target.prepare(
      `INSERT INTO agent_runs (${RUN_COLUMNS}) VALUES (${places.join(', ')}) ON CONFLICT (event_id) DO NOTHING`,
    );
    this.#keep = target.prepare('INSERT INTO run_originals (id, reasons, original) VALUES (?, ?, ?)');
  }

  add(row: OlderRow, id: number, renumbered: boolean): void {
    const converted = this.#convert(row, id);
    if (renumbered) converted.repairs.push('id: not a positive number below 2^52, numbered anew');
    this.#store(converted, id);
    if (converted.repairs.length > 0) this.#keepOriginal(converted.repairs, row, id);
  }

  #store({ values, defaulted, repairs, eventIdGiven }: ConvertedRow, id: number): void {
    const { repo, commits } = this.#addressesOf(values[git_repo]);
    values.push(defaulted, id, repo, commits);
    // Ends, for only as many names can be taken as there are rows.
    for (let attempt = 0; this.#insert.run(values).changes === 0; attempt++) {
      if (eventIdGiven && attempt === 0) repairs.push('event_id: taken by another run, derived from the run_id');
      values[event_id] = derivedEventId(sha1, String(values[run_id]), id, attempt);
    }
    this.#digests.runs.add(values);
  }

  #keepOriginal(repairs: readonly string[], row: OlderRow, id: number): void {
    const kept = [id, JSON.stringify(repairs), originalOf(this.#columns, row)];
    this.#keep.run(kept);
    this.#digests.originals.add(kept);
    this.result.repaired++;
    for (const repair of repairs) this.result.repairs.set(repair, (this.result.repairs.get(repair) ?? 0) + 1);
  }
}
