/** The writer thread: the only place from which the database is written. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Outcome, toWire } from '../../errors.ts';
import { Gate } from '../gate.ts';
import type { Committed, Copied, Note, Parcel, WriterInfo, WriterThread } from '../protocol.ts';
import { offer } from '../thread.ts';
import { toTelemetryError } from '../faults.ts';
import { Inbox } from './inbox.ts';
import { Session, type SessionOptions } from './session.ts';

export interface WriterData extends SessionOptions {
  gate: SharedArrayBuffer;
  /** Parcels in, what became of them out. */
  parcels: MessagePort;
}

/** A slice of recounting: short beside a commit. */
const SLICE_MS = 20;
/** A slice of work on older rows, without its commit, which takes as long again. */
const UPKEEP_MS = 8;
/** Work on older rows waits so long after a start, and gives way to commands that wait but for a slice in so long. */
const UPKEEP_DELAY_MS = 100;
const UPKEEP_YIELDS_MS = 1_000;
const RETRY_MS = 5_000;

const { gate, parcels, ...options } = workerData as WriterData;
const session = new Session(options, new Gate(gate));
const inbox = new Inbox(() => (receiveMessageOnPort(parcels) as { message: Parcel } | undefined)?.message);
let committing = false;
let scheduled = false;
let upkeepTimer: NodeJS.Timeout | undefined;
let upkeptAt = 0;

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
      upkeepIn(UPKEEP_DELAY_MS);
      return { ok: true, value };
    } catch (error) {
      return { ok: false, error: toWire(toTelemetryError(error)) };
    }
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
    parcels.close();
    // Lets the thread end by itself once comlink has answered.
    setImmediate(() => parentPort?.close());
  },
};

parcels.on('message', (arrived: Parcel) => {
  inbox.add(arrived);
  commitSoon();
});

// A turn of the event loop for each group: Node hands over messages without one, as long as more come, and whatever else is
// asked of this thread would wait for a pause.
function commitSoon(): void {
  if (committing) return;
  committing = true;
  setImmediate(() => {
    committing = false;
    commitGroup();
  });
}

function commitGroup(): void {
  const first = inbox.first();
  if (!first) return;
  const since = performance.now();
  const outcomes = session.commit(first, inbox.next);
  // Outcomes find their commands by order only. Rather let the thread die, which answers each that its outcome is unknown.
  if (outcomes.length !== inbox.taken) throw new Error(`${outcomes.length} outcomes for ${inbox.taken} commands`);
  const committed: Committed = { outcomes, took: performance.now() - since, ...session.last };
  parcels.postMessage(committed);
  if (inbox.waits) commitSoon();
  recountBetweenGroups();
  upkeepIn(SLICE_MS);
}

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

function upkeepIn(milliseconds: number): void {
  if (upkeepTimer || !session.upkeeping) return;
  upkeepTimer = setTimeout(upkeep, milliseconds).unref();
}

function upkeep(): void {
  upkeepTimer = undefined;
  const began = performance.now();
  if (inbox.waits && began - upkeptAt < UPKEEP_YIELDS_MS) return upkeepIn(SLICE_MS);
  try {
    const worked = session.upkeep(UPKEEP_MS);
    if (worked) parcels.postMessage(worked);
    upkeptAt = performance.now();
    // Half of the time at most.
    upkeepIn(upkeptAt - began);
  } catch {
    upkeepIn(RETRY_MS);
  }
}

if (parentPort) offer(thread, parentPort);
