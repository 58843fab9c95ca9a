/** The writer thread: the only place from which the database is written. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcome, toWire } from '../../errors.ts';
import { Gate } from '../gate.ts';
import type { Committed, Copied, Group, Note, WriterInfo, WriterThread } from '../protocol.ts';
import { offer } from '../thread.ts';
import { toTelemetryError } from '../faults.ts';
import { Session, type SessionOptions } from './session.ts';

export interface WriterData extends SessionOptions {
  gate: SharedArrayBuffer;
}

/** A slice of recounting: short beside a commit. */
const SLICE_MS = 20;
const RETRY_MS = 5_000;

const { gate, ...options } = workerData as WriterData;
const session = new Session(options, new Gate(gate));
let scheduled = false;

const thread: WriterThread = {
  prepare(): Outcome<Note | null> {
    try {
      return { ok: true, value: session.prepare() ?? null };
    } catch (error) {
      return { ok: false, error: toWire(toTelemetryError(error)) };
    }
  },
  open(): Outcome<WriterInfo> {
    try {
      const value = session.open();
      recountBetweenGroups();
      return { ok: true, value };
    } catch (error) {
      return { ok: false, error: toWire(toTelemetryError(error)) };
    }
  },
  commit(group: Group): Committed {
    const outcomes = session.commit(group);
    recountBetweenGroups();
    return { outcomes, ...session.last };
  },
  async copy(path: string): Promise<Outcome<Copied>> {
    try {
      return { ok: true, value: await session.copy(path) };
    } catch (error) {
      return { ok: false, error: toWire(toTelemetryError(error)) };
    }
  },
  endCopy(path: string): void {
    session.endCopy(path);
  },
  close(): void {
    session.close();
    // Lets the thread end by itself once comlink has answered.
    setImmediate(() => parentPort?.close());
  },
};

function recountBetweenGroups(): void {
  if (scheduled || !session.recounting) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    try {
      session.recount(SLICE_MS);
      recountBetweenGroups();
    } catch {
      // A locked or broken database: the next group says so. Where none comes, it is tried again.
      setTimeout(recountBetweenGroups, RETRY_MS).unref();
    }
  });
}

if (parentPort) offer(thread, parentPort);
