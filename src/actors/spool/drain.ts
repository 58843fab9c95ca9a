/**
 * The spool's work, a batch at a time: looks at the directory, gives every file its turn, and learns
 * what became of each batch before it makes the next. Asked by whoever drives it; no thread, no timer.
 */
import { makeDirectory } from '../../directory.ts';
import { describe } from '../../errors.ts';
import type { SpoolPosition } from '../protocol.ts';
import type { SpoolAnswer, SpoolOutcome, SpoolStatus } from './protocol.ts';
import { type SpoolEntry, syncDirectory } from './files.ts';
import { START } from './fingerprint.ts';
import { KnownPositions } from './known.ts';
import { Notes } from './notes.ts';
import { RejectedFiles } from './rejected.ts';
import { RejectionLog } from './rejection-log.ts';
import { remove, retire } from './retire.ts';
import { Roster } from './roster.ts';
import type { Tail } from './tail.ts';
import { Tails, type TailsOptions } from './tails.ts';
import { proveFile, takeTurn, type Turn, type TurnOptions, type TurnPlace, warnCutShort } from './turn.ts';

export interface DrainOptions extends TurnOptions, TailsOptions {
  /** How long `.synced` files are kept. */
  keepMs: number;
  positions: readonly SpoolPosition[];
  clock?: () => number;
  /** How many files a look takes in. */
  portion?: number;
}

/** While files are being read, new ones are looked for this often. */
const LOOK_AGAIN_MS = 1_000;
/** `.synced` files are looked for this often, for nothing hangs on them. */
const SWEEP_MS = 60 * 60 * 1_000;
/** A file that could not be stored is tried again after this. */
const RETRY_MS = 30_000;
/** So long one answer may go through the directory. */
const MAX_LOOK_MS = 100;
/** After a round through the directory that took longer than this, the next waits as long, up to a bound. */
const SHORT_ROUND_MS = 100;
const LONGEST_REST_MS = 1_000;
/** What waits is summed up this often while batches are made. */
const SUM_UP_MS = 200;

export class Drain {
  readonly #options: DrainOptions;
  readonly #clock: () => number;
  readonly #notes = new Notes();
  readonly #rejected: RejectedFiles;
  readonly #rejections = new RejectionLog(this.#notes);
  readonly #tails: Tails;
  readonly #roster: Roster;
  readonly #known: KnownPositions;
  /** Files with something to read; the first is next. */
  readonly #turns = new Set<Tail>();
  #current: { tail: Tail; turn: Turn } | undefined;
  /** When the last round through the directory ended, how long it took to go through, and what it found. */
  #lookedAt = -Infinity;
  #roundMs = 0;
  #restMs = 0;
  #found = 0;
  #sweptAt = -Infinity;
  #status: SpoolStatus = { files: 0, pendingBytes: 0, waitingSince: null };
  #summedAt = -Infinity;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#rejected = new RejectedFiles(options.directory);
    this.#tails = new Tails(options);
    this.#roster = new Roster({
      directory: options.directory,
      onUnusable: (file, reason) => {
        if (this.#notes.isNew(file, reason)) this.#notes.warning('Spool file cannot be read', { file, reason });
      },
      ...(options.portion !== undefined && { portion: options.portion }),
    });
    this.#known = new KnownPositions(options.positions);
    try {
      makeDirectory(options.directory);
    } catch {
      // The first look says that it is not there.
    }
  }

  /**
   * The next batch, and what there is to say. Where there is none, and no `more` is said, the directory has been gone
   * through since the last.
   *
   * @param stirred raw names of files known to have changed, which need not wait until they are met
   */
  next(stirred: readonly string[] = []): SpoolAnswer {
    this.#current = undefined;
    this.#take(this.#roster.named(stirred));
    const turn = this.#nextTurn();
    const now = this.#clock();
    const rejected = this.#rejections.flush(now, turn === undefined);
    const gone = this.#known.takeGone();
    if (!turn || Math.abs(now - this.#summedAt) > SUM_UP_MS) this.#sumUp(now);
    const more = this.#roster.isUnderWay;
    return { batch: turn?.batch ?? null, more, notes: this.#notes.take(), gone, rejected, status: this.#status };
  }

  /** Lets go of the directory. */
  close(): void {
    this.#roster.close();
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
    for (const tail of this.#tails) at = Math.min(at, tail.wakeAt(now));
    return Math.max(0, at - now);
  }

  /** Between any two turns goes a portion of the directory, so that neither holds up the other. */
  #nextTurn(): Turn | undefined {
    const began = performance.now();
    do {
      if (this.#isTimeToLook()) this.#look();
      const turn = this.#takeTurn();
      if (turn) return turn;
    } while (this.#roster.isUnderWay && performance.now() - began < MAX_LOOK_MS);
    return undefined;
  }

  // A pass ends when every file has had its turns; the next one begins with a look.
  #isTimeToLook(): boolean {
    if (this.#roster.isUnderWay) return true;
    const since = Math.abs(this.#clock() - this.#lookedAt);
    return since >= this.#restMs && (this.#turns.size === 0 || since > LOOK_AGAIN_MS);
  }

  #takeTurn(): Turn | undefined {
    const unfinished: Tail[] = [];
    for (const tail of this.#turns) {
      this.#turns.delete(tail);
      const now = this.#clock();
      const { scanned } = tail.place;
      const turn = takeTurn(tail, this.#place(now));
      if (turn) {
        this.#current = { tail, turn };
        this.#rejections.add(tail.name, turn);
        break;
      }
      // In the midst of a line that is too long, or of comparing what was read.
      if ((tail.place.scanned > scanned || tail.trust.proof) && tail.isDue(now)) unfinished.push(tail);
    }
    for (const tail of unfinished) this.#turns.add(tail);
    return this.#current?.turn;
  }

  #place(now: number): TurnPlace {
    const { directory, batchLines, maxRunBytes } = this.#options;
    return { directory, batchLines, maxRunBytes, now, notes: this.#notes, rejected: this.#rejected };
  }

  #settled(tail: Tail, { batch }: Turn, position: number): void {
    tail.stored = position;
    this.#known.set(tail, { position, digest: position === batch.to ? batch.digest : '' });
    // Any other position is somebody else's, or that of a file forgotten; what is merged again does no harm.
    tail.moveTo(position === batch.to ? { position, digest: batch.digest } : START);
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
    const began = performance.now();
    if (!this.#roster.isUnderWay) this.#roundMs = 0;
    const portion = this.#nextPortion(now);
    if (portion) this.#take(portion.entries);
    const ended = portion?.ended;
    this.#roundMs += performance.now() - began;
    if (portion && !ended) return;
    this.#lookedAt = now;
    this.#restMs = this.#roundMs > SHORT_ROUND_MS ? Math.min(this.#roundMs, LONGEST_REST_MS) : 0;
    this.#found = ended?.size ?? 0;
    for (const tail of this.#tails.keep(ended ?? new Set())) this.#drop(tail);
    if (ended) this.#known.found(ended);
  }

  /** @returns undefined where the directory cannot be read */
  #nextPortion(now: number): ReturnType<Roster['next']> | undefined {
    const { directory } = this.#options;
    const sweep = now - this.#sweptAt > SWEEP_MS;
    try {
      const portion = this.#roster.next(sweep);
      if (sweep) this.#sweptAt = now;
      this.#notes.isWell(directory);
      return portion;
    } catch (error) {
      const reason = describe(error);
      if (this.#notes.isNew(directory, reason))
        this.#notes.warning('The spool directory cannot be read', { directory, reason });
      return undefined;
    }
  }

  /** Notes what a look found, and whose turn it is. */
  #take(entries: readonly SpoolEntry[]): void {
    const now = this.#clock();
    const { directory, maxAgeMs, keepMs } = this.#options;
    let renamed = false;
    for (const entry of entries) {
      if (entry.state === 'synced') {
        // By ctime: renaming a file sets it, and does not set the mtime.
        if (now - entry.ctimeMs > keepMs) remove(directory, entry, this.#notes);
        continue;
      }
      const tail = this.#tails.of(entry, this.#known.of(entry), now);
      if (!tail) {
        if (entry.size === 0) this.#roster.isQuiet(entry);
        continue;
      }
      if (!tail.see(entry, now)) warnCutShort(tail, this.#place(now));
      if (tail.isLeaving(now)) proveFile(tail, this.#place(now));
      renamed = retire(tail, { directory, maxAgeMs, now, notes: this.#notes }) || renamed;
      if (tail.isDue(now)) this.#turns.add(tail);
      else if (this.#tails.isQuiet(tail, now)) this.#roster.isQuiet(entry);
    }
    if (renamed) syncDirectory(directory);
  }

  #drop(tail: Tail): void {
    this.#turns.delete(tail);
    this.#rejected.forget(tail.name);
    this.#notes.isWell(tail.name);
  }

  #sumUp(now: number): void {
    this.#summedAt = now;
    this.#status = { files: Math.max(this.#found, this.#tails.size), pendingBytes: 0, waitingSince: null };
    for (const { pendingBytes, mtimeMs } of this.#tails) {
      if (pendingBytes === 0) continue;
      this.#status.pendingBytes += pendingBytes;
      this.#status.waitingSince = Math.min(this.#status.waitingSince ?? Infinity, mtimeMs);
    }
  }
}
