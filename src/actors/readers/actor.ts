/** A reader thread (piscina): a read-only connection, a slot in the gate, one query at a time. */
import { threadId } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { type Outcome, TelemetryError, toWire } from '../../errors.ts';
import { type Connection, openReadonly } from '../database.ts';
import { isBroken, isBusy, toTelemetryError } from '../faults.ts';
import { Gate } from '../gate.ts';
import type { Queries, QueryName, QueryTask } from '../protocol.ts';
import { list } from './list.ts';
import { metadata } from './names.ts';
import { counted, indexes, metrics, older, positions, run, series, source } from './queries.ts';
import { defineFunctions } from './render.ts';
import { Statements } from './statements.ts';

export interface ReaderData {
  path: string;
  busyTimeoutMs: number;
  /** Null where readers and COMMIT do not meet (WAL). */
  gate: SharedArrayBuffer | null;
  /** Signs of life, by the place that a query comes from: one more at each visit to the database. */
  signs: Int32Array;
  /** A run of more bytes is shown without its long values. */
  shownBytes: number;
}

/** A visit waits no longer without a sign of life. */
const LONGEST_WAIT_MS = 250;

type Result = Queries[QueryName]['result'];

const data = workerData as ReaderData;
const gate = data.gate && new Gate(data.gate);
const slot = gate ? gate.claim(threadId) : 0;
let connection: Connection | undefined;
let statements: Statements | undefined;
let place = 0;

/** The pool's entry point: answers one query, errors included. */
export default function answer(task: QueryTask & { place: number }): Outcome<Result> {
  place = task.place;
  lives();
  try {
    return transferred(query(task));
  } catch (error) {
    if (isBroken(error)) forget();
    return { ok: false, error: toWire(toTelemetryError(error)) };
  }
}

function query(task: QueryTask): Result {
  const db = ready();
  switch (task.name) {
    case 'run':
      return run(db, task.args.eventId, inside);
    case 'source':
      return source(db, task.args.eventId, inside);
    case 'list':
      return list(db, task.args, inside);
    case 'metadata':
      return metadata(db, task.args, inside);
    case 'metrics':
      return metrics(db, task.args.since, inside);
    case 'positions':
      return positions(db, inside);
    case 'series':
      return series(db, task.args.limit, inside);
    case 'older':
      return older(db, task.args.before, inside);
    case 'counted':
      return counted(db, inside);
    case 'indexes':
      return indexes(db, inside);
  }
}

/** Reads inside the gate; while a foreign program has the file locked, tries again, outside it in between. */
function inside<T>(read: () => T): T {
  const deadline = performance.now() + data.busyTimeoutMs;
  for (;;) {
    lives();
    if (gate && !gate.enter(slot, Math.min(LONGEST_WAIT_MS, data.busyTimeoutMs))) {
      if (performance.now() < deadline) continue;
      const why = 'The database is busy with a commit that does not end. Send this again later.';
      throw new TelemetryError('unavailable', why);
    }
    try {
      return read();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    } finally {
      gate?.leave(slot);
    }
  }
}

function lives(): void {
  Atomics.add(data.signs, place, 1);
}

function ready(): Statements {
  if (statements) return statements;
  connection = openReadonly(data.path, data.busyTimeoutMs);
  defineFunctions(connection);
  statements = new Statements(connection, data.shownBytes);
  return statements;
}

function forget(): void {
  connection?.close();
  connection = undefined;
  statements = undefined;
}

function bytesOf(value: Result): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'object' && value !== null && 'body' in value ? value.body : undefined;
}

/** Hands the result's bytes over instead of copying them. */
function transferred(value: Result): Outcome<Result> {
  const outcome: Outcome<Result> = { ok: true, value };
  const bytes = bytesOf(value);
  if (!bytes) return outcome;
  const movable = { [transferableSymbol]: bytes.buffer, [valueSymbol]: outcome };
  return move(movable as never) as unknown as Outcome<Result>;
}
