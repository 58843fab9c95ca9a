/** What the spool has done: totals for /metrics, and a line of the log for each drain. */
import type { Logger } from '../../log.ts';
import type { Merged } from '../protocol.ts';
import type { SpoolBatch, SpoolStatus } from './protocol.ts';

/** The spool as /metrics shows it. */
export interface SpoolCounts {
  files: number;
  pending_bytes: number;
  /** How long the oldest of what waits has been waiting; 0 where nothing does. */
  lag_seconds: number;
  /** Lines since the start. */
  stored: number;
  rejected: number;
}

/** A long drain says this often how far it is. */
const EVERY_MS = 5_000;

const nothing = { lines: 0, inserted: 0, merged: 0, duplicates: 0, rejected: 0 };

export class Progress {
  readonly #log: Logger;
  #status: SpoolStatus = { files: 0, pendingBytes: 0, waitingSince: null };
  #stored = 0;
  #rejected = 0;
  /** Since the last line of the log. */
  #drain = { ...nothing, files: new Set<string>() };
  #loggedAt = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  get counts(): SpoolCounts {
    const { files, pendingBytes: pending_bytes, waitingSince } = this.#status;
    const lag_seconds = waitingSince === null ? 0 : Math.max(0, Math.round((Date.now() - waitingSince) / 1000));
    return { files, pending_bytes, lag_seconds, stored: this.#stored, rejected: this.#rejected };
  }

  /** The thread has answered. */
  saw(status: SpoolStatus, rejected: number): void {
    this.#status = status;
    this.#rejected += rejected;
    this.#drain.rejected += rejected;
  }

  /** A batch is stored. */
  stored({ name, lines }: SpoolBatch, { inserted, merged, duplicates }: Merged): void {
    if (this.#drain.files.size === 0) this.#loggedAt = performance.now();
    this.#stored += lines;
    this.#drain.files.add(name);
    this.#drain.lines += lines;
    this.#drain.inserted += inserted;
    this.#drain.merged += merged;
    this.#drain.duplicates += duplicates;
    if (performance.now() - this.#loggedAt > EVERY_MS) this.drained();
  }

  /** A drain has come to its end, or says how far it is. */
  drained(): void {
    const { files, ...sums } = this.#drain;
    if (files.size === 0) return;
    this.#drain = { ...nothing, files: new Set() };
    this.#loggedAt = performance.now();
    this.#log.info('Spool drained', { files: files.size, ...sums, pending_bytes: this.#status.pendingBytes });
  }
}
