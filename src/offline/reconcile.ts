/**
 * Whether the database has what the NDJSON backup says: every record of a run is looked up by its event_id, and
 * merged on paper. What the merge would change, the database has not got yet.
 */
import { type Connection } from '../actors/database.ts';
import { type Clocks, mergeRecord, parseClocks, type Row, withDuration } from '../actors/writer/clocks.ts';
import { isBlank } from '../actors/spool/judge.ts';
import type { Line } from '../actors/spool/lines.ts';
import { COLUMNS, FIELD_INDEX, isGiven, isJsonObject, parseJson, rowOf, type SqlValue, timestampOf } from '../run.ts';
import { acceptsRun } from '../run/check.ts';
import { TooMuchJson } from '../run/json-bounds.ts';
import { salvage } from './salvage.ts';

export type Lack = 'missing' | 'behind';

/** A run that the backup knows better than the database. */
export interface Finding {
  lack: Lack;
  /** A record of it is so young that it may still be on its way. */
  young: boolean;
  /** The files that have it, by their places in the list. */
  files: number[];
  /** Where else it is: in a spool file that is still to be stored, or among the lines that never can be. */
  place?: 'waiting' | 'rejected';
}

export interface Counts {
  /** Records of runs. */
  records: number;
  events: number;
  /** Lines with nothing on them, and lines that are no JSON: a kill, or two processes in one file. What is whole in these counts, too. */
  blank: number;
  torn: number;
  /** JSON that can never be a run. */
  unusable: number;
  /** Records of runs that retention has deleted. */
  deleted: number;
}

/** Runs that are kept in memory; beyond, they are only counted. */
const MAX_FINDINGS = 100_000;
/** A client's record may be so long on its way. */
const YOUNG_MS = 60_000;

const { created_at, start_time, updated_at, end_time } = FIELD_INDEX;
const decoder = new TextDecoder('utf-8', { fatal: true });

export interface ReconcileOptions {
  maxRunBytes: number;
  /** When the backup's end was noted, in milliseconds since the epoch. */
  notedAt: number;
}

/** The file that a line is of. */
export interface OfFile {
  /** Its place in the list of files. */
  index: number;
  /** When it was written to last: a young record cannot be in an old file. */
  mtimeMs: number;
}

export class Reconciliation {
  readonly counts: Counts = { records: 0, events: 0, blank: 0, torn: 0, unusable: 0, deleted: 0 };
  readonly findings = new Map<string, Finding>();
  /** Records of runs beyond those that are kept. */
  overflow = 0;
  /** The files that have those, by their places in the list. */
  readonly overflowFiles = new Set<number>();
  readonly #options: ReconcileOptions;
  readonly #now: string;
  readonly #youngSince: string;
  readonly #deletedBefore: string;
  readonly #find: (eventId: string) => unknown;
  readonly #clocksOf: (id: number) => unknown;

  constructor(db: Connection, options: ReconcileOptions) {
    this.#options = options;
    this.#now = timestampOf(options.notedAt);
    this.#youngSince = timestampOf(options.notedAt - YOUNG_MS);
    this.#deletedBefore =
      (db.prepare('SELECT deleted_before FROM retention').pluck().get() as string | undefined) ?? '';
    const find = db.prepare(`SELECT ${COLUMNS.join(', ')}, defaulted, id FROM agent_runs WHERE event_id = ?`).raw();
    const clocks = db.prepare('SELECT clocks FROM run_clocks WHERE id = ?').pluck();
    this.#find = (eventId) => find.get(eventId);
    this.#clocksOf = (id) => clocks.get(id);
  }

  take(line: Line, file: OfFile): void {
    if (isBlank(line)) return void this.counts.blank++;
    if (line.length > this.#options.maxRunBytes) return void this.counts.unusable++;
    const record = parsed(line.bytes);
    if (record instanceof TooMuchJson) return void this.counts.unusable++;
    if (record !== undefined) return void (this.#takeRecord(record, file) || this.counts.unusable++);
    this.counts.torn++;
    // Import takes the same.
    const { found } = salvage(Buffer.from(line.bytes).toString().trim(), (_text, value) =>
      value.record_type === 'event' || acceptsRun(value, 'repair') ? value : undefined,
    );
    for (const value of found) this.#takeRecord(value, file);
  }

  /** @returns false for what is no record */
  #takeRecord(record: unknown, file: OfFile): boolean {
    if (isJsonObject(record) && record.record_type === 'event') {
      this.counts.events++;
      return true;
    }
    if (!acceptsRun(record, 'repair')) return false;
    this.counts.records++;
    this.#judge(String(record.event_id), rowOf(record, this.#now), file);
    return true;
  }

  #judge(eventId: string, row: Row, { index, mtimeMs }: OfFile): void {
    const stored = this.#find(eventId) as SqlValue[] | undefined;
    const lack = stored ? (this.#isBehind(stored, row) ? 'behind' : undefined) : 'missing';
    if (lack === undefined) return;
    const given = (index: number): string | undefined =>
      isGiven(row.values, row.defaulted, index) ? String(row.values[index]) : undefined;
    const created = given(created_at) ?? String(row.values[start_time]);
    if (lack === 'missing' && created < this.#deletedBefore) return void this.counts.deleted++;
    const times = [updated_at, end_time, created_at, start_time].map(given);
    const youngFile = mtimeMs >= this.#options.notedAt - YOUNG_MS;
    const young = youngFile && times.some((time) => time !== undefined && time > this.#youngSince);
    this.#note(eventId, { lack, young, files: [index] });
  }

  #isBehind(stored: SqlValue[], record: Row): boolean {
    const [defaulted, id] = stored.slice(COLUMNS.length).map(Number) as [number, number];
    const text = this.#clocksOf(id) as string | undefined;
    const clocks: Clocks | undefined = text === undefined ? undefined : parseClocks(text);
    const current = withDuration({ values: stored.slice(0, COLUMNS.length), defaulted });
    const merged = mergeRecord(current, clocks, record);
    // A later clock that says the same brings nothing that anyone would miss.
    return merged?.values.some((value, index) => value !== current.values[index]) ?? false;
  }

  #note(eventId: string, finding: Finding): void {
    const index = finding.files[0] as number;
    const known = this.findings.get(eventId);
    if (known) {
      known.young ||= finding.young;
      // Files come one after the other.
      if (known.files.at(-1) !== index) known.files.push(index);
    } else if (this.findings.size < MAX_FINDINGS) this.findings.set(eventId, finding);
    else {
      this.overflow++;
      this.overflowFiles.add(index);
    }
  }
}

/** The JSON value of a line; undefined where it is none, the error where it holds more than is taken. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(decoder.decode(bytes));
  } catch (error) {
    return error instanceof TooMuchJson ? error : undefined;
  }
}

/** The run that a line is about, whatever else is on it; undefined where it says none. */
export function eventIdOn(bytes: Uint8Array): string | undefined {
  const record = parsed(bytes);
  return isJsonObject(record) && typeof record.event_id === 'string' ? record.event_id : undefined;
}
