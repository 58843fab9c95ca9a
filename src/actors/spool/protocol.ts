/** What crosses to the spool's thread and back, and is nobody else's. Types only. */
import type { Note, SpoolFile } from '../protocol.ts';

/** Lines of a spool file for one merge. */
export interface SpoolBatch extends SpoolFile {
  expected: number;
  to: number;
  digest: string;
  /** How many lines `body` holds. */
  lines: number;
  body: Uint8Array<ArrayBuffer>;
}

/** What became of a batch; a failure is one that waiting does not cure. */
export type SpoolOutcome = { ok: true; position: number } | { ok: false; reason: string };

/** The spool as the last look found it. */
export interface SpoolStatus {
  files: number;
  pendingBytes: number;
  /** When the file was written that has waited longest, in milliseconds; null where nothing waits. */
  waitingSince: number | null;
}

export interface SpoolAnswer {
  /** Null: there is nothing to store now. */
  batch: SpoolBatch | null;
  /** The directory has not been gone through yet: the next is to be asked for at once. */
  more: boolean;
  notes: Note[];
  /** Files whose positions are of no use any more. */
  gone: SpoolFile[];
  /** Lines rejected since the last answer. */
  rejected: number;
  status: SpoolStatus;
}

/** The spool thread's face, called through comlink. It is asked; it never calls. */
export interface SpoolThread {
  next(): SpoolAnswer;
  /** What became of the batch; to be told before the next is asked for. */
  settle(outcome: SpoolOutcome): void;
  /** Resolves when it may be worthwhile to ask again. */
  wait(): Promise<void>;
  close(): void;
}
