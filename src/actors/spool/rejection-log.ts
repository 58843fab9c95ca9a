/** Says which files had lines rejected: a line of the log a file, however many batches they were in. */
import type { Notes } from './notes.ts';
import type { Turn } from './turn.ts';

/** A long drain says it this often. */
const EVERY_MS = 5_000;

export class RejectionLog {
  readonly #notes: Notes;
  readonly #files = new Map<string, { count: number; first: string }>();
  #since: number | undefined;
  #fresh = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  add(file: string, { rejected, rejections }: Turn): void {
    if (rejected === 0) return;
    this.#fresh += rejected;
    const known = this.#files.get(file);
    if (known) known.count += rejected;
    else this.#files.set(file, { count: rejected, first: rejections[0]?.reason ?? '' });
  }

  /** @param force says it now @returns how many lines came since the last time */
  flush(now: number, force: boolean): number {
    const fresh = this.#fresh;
    this.#fresh = 0;
    this.#since ??= now;
    if (force || now - this.#since > EVERY_MS) {
      this.#since = now;
      for (const [file, { count, first }] of this.#files)
        this.#notes.warning('Lines of the spool were rejected', { file, lines: count, first_reason: first });
      this.#files.clear();
    }
    return fresh;
  }
}
