/** What waits for delivery in memory: the newest state of each run, bounded. No I/O but the spool's. */
import type { TrackedRun } from './record.ts';
import type { Spool, SpoolFile } from './spool.ts';

/** Characters of all records that wait; beyond, they wait on disk. */
const MAX_TEXT = 16 * 1024 * 1024;

export interface Entry {
  readonly run: TrackedRun;
  /** The record of `version`, as JSON. */
  text: string;
  version: number;
  /** Fields that changed since the service was last told. */
  changes: Set<string>;
  /** Spool lines of this run up to a version, file by file: an acknowledged version retires those up to it. */
  lines: { file: SpoolFile; version: number; count: number }[];
  /** PATCH met 404: the service does not have the run after all. */
  missing: boolean;
  /** Something in a batch was refused, perhaps this: it goes by itself next. */
  alone: boolean;
}

export interface OutboxCounts {
  /** States that no longer fitted into memory, and waited on disk. */
  overflowed: number;
  /** States that neither memory nor disk could hold. */
  lost: number;
}

export class Outbox {
  readonly #entries = new Map<TrackedRun, Entry>();
  readonly #spool: Spool;
  readonly #maxRuns: number;
  #text = 0;
  readonly counts: OutboxCounts = { overflowed: 0, lost: 0 };

  constructor(spool: Spool, maxRuns: number) {
    this.#spool = spool;
    this.#maxRuns = maxRuns;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes a run's new state.
   *
   * @param file the spool file that holds it; undefined where the disk would not
   * @returns false where neither memory nor disk has room: it is lost
   */
  put(run: TrackedRun, text: string, changes: readonly string[], file: SpoolFile | undefined): boolean {
    const entry = this.#entries.get(run);
    const more = text.length - (entry?.text.length ?? 0);
    if ((!entry && this.#entries.size >= this.#maxRuns) || (more > 0 && this.#text + more > MAX_TEXT)) {
      if (file) {
        if (entry) this.#toDisk(entry);
        file.unread = true;
        this.counts.overflowed++;
        // What the service has heard of it is no longer known here: its next state goes as a whole.
        run.known = false;
      } else {
        this.counts.lost++;
      }
      return file !== undefined;
    }
    const kept: Entry = entry ?? {
      run,
      text: '',
      version: 0,
      changes: new Set(),
      lines: [],
      missing: false,
      alone: false,
    };
    if (!entry) this.#entries.set(run, kept);
    this.#setText(kept, text);
    kept.version = run.version;
    for (const name of changes) kept.changes.add(name);
    const last = kept.lines.at(-1);
    if (last && last.file === file) {
      last.version = run.version;
      last.count++;
    } else if (file) kept.lines.push({ file, version: run.version, count: 1 });
    return true;
  }

  /** Its files are read back when memory has room. */
  #toDisk(entry: Entry): void {
    for (const { file } of entry.lines) file.unread = true;
    entry.lines = [];
    this.#setText(entry, '');
    this.#entries.delete(entry.run);
  }

  /** Those that have waited longest, at most so many and so many characters; at least one where there is any. */
  next(maxEntries: number, maxText: number): Entry[] {
    const taken: Entry[] = [];
    let text = 0;
    for (const entry of this.#entries.values()) {
      text += entry.text.length;
      if (taken.length > 0 && (taken.length >= maxEntries || text > maxText)) break;
      taken.push(entry);
    }
    return taken;
  }

  /**
   * The service has this version of the entry, or refuses it for ever.
   *
   * @param keep leaves its lines in the spool, for whoever reads that
   */
  settle(entry: Entry, version: number, keep = false): void {
    const settled = entry.lines.filter((line) => line.version <= version);
    entry.lines = entry.lines.filter((line) => line.version > version);
    for (const { file, count } of settled) if (!keep) this.#spool.retire(file, count);
    entry.missing = false;
    entry.alone = false;
    if (this.#entries.get(entry.run) !== entry) return;
    this.#entries.delete(entry.run);
    // Where it has changed meanwhile, that is still to be told, after whatever has waited longer.
    if (entry.version > version) this.#entries.set(entry.run, entry);
    else this.#setText(entry, '');
  }

  #setText(entry: Entry, text: string): void {
    this.#text += text.length - entry.text.length;
    entry.text = text;
  }
}
