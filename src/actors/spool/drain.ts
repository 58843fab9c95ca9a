/**
 * The spool's work, a batch at a time: looks at the directory, gives every file its turn, and learns
 * what became of each batch before it makes the next. Asked by whoever drives it; no thread, no timer.
 */
import { makeDirectory } from '../../directory.ts';
import { describe } from '../../errors.ts';
import type { SpoolAnswer, SpoolOutcome, SpoolPosition, SpoolStatus } from '../protocol.ts';
import { keyOf, listFiles, type SpoolEntry } from './files.ts';
import { KnownPositions } from './known.ts';
import { Notes } from './notes.ts';
import { RejectedFiles } from './rejected.ts';
import { RejectionLog } from './rejection-log.ts';
import { remove, retire } from './retire.ts';
import { Tail, type TailTimes } from './tail.ts';
import { takeTurn, type Turn, type TurnOptions, warnCutShort } from './turn.ts';

export interface DrainOptions extends TurnOptions, TailTimes {
  /** A `.live` file that is untouched for so long has lost its client. */
  maxAgeMs: number;
  /** How long `.synced` files are kept. */
  keepMs: number;
  positions: readonly SpoolPosition[];
  clock?: () => number;
}

/** While files are being read, new ones are looked for this often. */
const LOOK_AGAIN_MS = 1_000;
/** `.synced` files are looked for this often, for nothing hangs on them. */
const SWEEP_MS = 60 * 60 * 1_000;
/** A file that could not be stored is tried again after this. */
const RETRY_MS = 30_000;

export class Drain {
  readonly #options: DrainOptions;
  readonly #clock: () => number;
  readonly #notes = new Notes();
  readonly #rejected: RejectedFiles;
  readonly #rejections = new RejectionLog(this.#notes);
  readonly #tails = new Map<string, Tail>();
  readonly #known: KnownPositions;
  /** Files with something to read; the first is next. */
  readonly #turns = new Set<Tail>();
  #current: { tail: Tail; turn: Turn } | undefined;
  #lookedAt = -Infinity;
  #sweptAt = -Infinity;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#rejected = new RejectedFiles(options.directory);
    this.#known = new KnownPositions(options.positions);
    try {
      makeDirectory(options.directory);
    } catch {
      // The first look says that it is not there.
    }
  }

  /** The next batch, and what there is to say. Where there is none, the directory has been looked at since the last. */
  next(): SpoolAnswer {
    const turn = this.#nextTurn();
    const now = this.#clock();
    const rejected = this.#rejections.flush(now, turn === undefined);
    const gone = this.#known.takeGone();
    return { batch: turn?.batch ?? null, notes: this.#notes.take(), gone, rejected, status: this.#status() };
  }

  /** What became of the batch. */
  settle(outcome: SpoolOutcome): void {
    const current = this.#current;
    this.#current = undefined;
    if (!current) return;
    const { tail, turn } = current;
    if (outcome.ok) this.#settled(tail, turn, outcome.position);
    else this.#failed(tail, turn, outcome.reason);
    if (tail.isDue(this.#clock())) this.#turns.add(tail);
  }

  /** In how many milliseconds it is worthwhile to ask again though nothing happens; Infinity where it is not. */
  wakeInMs(): number {
    if (this.#turns.size > 0) return 0;
    const now = this.#clock();
    let at = Infinity;
    for (const tail of this.#tails.values()) at = Math.min(at, tail.wakeAt(now));
    return Math.max(0, at - now);
  }

  #nextTurn(): Turn | undefined {
    this.#current = undefined;
    // A pass ends when every file has had its turns; the next one begins with a look.
    if (this.#turns.size === 0 || this.#clock() - this.#lookedAt > LOOK_AGAIN_MS) this.#look();
    const unfinished: Tail[] = [];
    const { directory, batchLines, maxRunBytes } = this.#options;
    for (const tail of this.#turns) {
      this.#turns.delete(tail);
      const now = this.#clock();
      const { scanned } = tail.place;
      const at = { directory, batchLines, maxRunBytes, now, notes: this.#notes, rejected: this.#rejected };
      const turn = takeTurn(tail, at);
      if (turn) {
        this.#current = { tail, turn };
        this.#rejections.add(tail.name, turn);
        break;
      }
      // In the midst of a line that is too long.
      if (tail.place.scanned > scanned && tail.isDue(now)) unfinished.push(tail);
    }
    for (const tail of unfinished) this.#turns.add(tail);
    return this.#current?.turn;
  }

  #settled(tail: Tail, { batch }: Turn, position: number): void {
    tail.stored = position;
    this.#known.set(tail, position);
    // Any other position is somebody else's, or that of a file forgotten; what is merged again does no harm.
    tail.moveTo(position <= tail.size ? position : 0);
    if (position === batch.to) this.#rejected.stored(tail.name);
    this.#notes.isWell(`${tail.name} stored`);
    const { batchLines } = this.#options;
    if (tail.maxLines !== undefined) tail.maxLines = tail.maxLines * 2 < batchLines ? tail.maxLines * 2 : undefined;
  }

  /** Halves the batch until the line is found that cannot be stored. */
  #failed(tail: Tail, { batch, read, only }: Turn, reason: string): void {
    if (only !== undefined) {
      tail.doomed = { offset: only, reason };
      tail.maxLines = undefined;
    } else if (batch.lines > 0) {
      tail.maxLines = Math.max(1, Math.floor(read / 2));
    } else {
      // Not even the position can be stored, so it is not the lines.
      tail.blockedUntil = this.#clock() + RETRY_MS;
      if (this.#notes.isNew(`${tail.name} stored`, reason))
        this.#notes.error('Spool file cannot be stored', { file: tail.name, reason });
    }
  }

  #look(): void {
    const now = this.#clock();
    this.#lookedAt = now;
    const entries = this.#list(false);
    if (!entries) return;
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    const { directory, maxAgeMs } = this.#options;
    const seen = new Set<string>();
    for (const entry of entries) {
      seen.add(keyOf(entry));
      const tail = this.#see(entry, now);
      retire(tail, { directory, maxAgeMs, now, notes: this.#notes });
      if (tail.isDue(now)) this.#turns.add(tail);
    }
    for (const [key, tail] of this.#tails) if (!seen.has(key)) this.#drop(key, tail);
    this.#known.found(seen);
  }

  // By ctime: renaming a file sets it, and does not set the mtime.
  #sweep(now: number): void {
    const { directory, keepMs } = this.#options;
    this.#sweptAt = now;
    for (const entry of this.#list(true) ?? []) if (now - entry.ctimeMs > keepMs) remove(directory, entry, this.#notes);
  }

  #list(synced: boolean): SpoolEntry[] | undefined {
    const { directory } = this.#options;
    try {
      const entries = listFiles(directory, synced, (file, reason) => {
        if (this.#notes.isNew(file, reason)) this.#notes.warning('Spool file cannot be read', { file, reason });
      });
      this.#notes.isWell(directory);
      return entries;
    } catch (error) {
      const reason = describe(error);
      if (this.#notes.isNew(directory, reason))
        this.#notes.warning('The spool directory cannot be read', { directory, reason });
      for (const [key, tail] of this.#tails) this.#drop(key, tail);
      return undefined;
    }
  }

  #see(entry: SpoolEntry, now: number): Tail {
    const key = keyOf(entry);
    let tail = this.#tails.get(key);
    if (!tail) {
      tail = new Tail(entry, this.#known.of(entry), this.#options);
      this.#tails.set(key, tail);
    }
    if (!tail.see(entry, now)) warnCutShort(tail, this.#notes);
    return tail;
  }

  #drop(key: string, tail: Tail): void {
    this.#tails.delete(key);
    this.#turns.delete(tail);
    this.#rejected.forget(tail.name);
    this.#notes.isWell(tail.name);
  }

  #status(): SpoolStatus {
    const status: SpoolStatus = { files: this.#tails.size, pendingBytes: 0, waitingSince: null };
    for (const { pendingBytes, mtimeMs } of this.#tails.values()) {
      if (pendingBytes === 0) continue;
      status.pendingBytes += pendingBytes;
      status.waitingSince = Math.min(status.waitingSince ?? Infinity, mtimeMs);
    }
    return status;
  }
}
