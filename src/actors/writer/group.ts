/**
 * Group commit: all commands of a group in one transaction, one COMMIT, one answer. Everything the
 * promise "acknowledged = on disk" rests on is in `#commit` and `#syncDirectory` below.
 */
import type { Statement } from 'better-sqlite3';
import { type ErrorCode, type Outcome, TelemetryError, toWire } from '../../errors.ts';
import { timestampOf } from '../../run.ts';
import { Mended } from '../../run/mended.ts';
import type { Connection } from '../database.ts';
import type { Gate } from '../gate.ts';
import type { CommandName, CommandResult, PackedCommand, Parcel, Worked } from '../protocol.ts';
import { Care } from './care.ts';
import { Changes } from './changes.ts';
import { runCommand } from './commands.ts';
import { type Last, NOTHING } from './figures.ts';
import { isBroken, toTelemetryError } from '../faults.ts';
import { nextChangeCounter } from './header.ts';
import { Recount } from './recount.ts';
import { syncJournal, syncOpen } from './place.ts';
import { Positions } from './positions.ts';
import { Rollups } from './rollups.ts';
import { Store } from './store.ts';
import { type Job, Upkeep } from './upkeep.ts';
import { whenFree } from './when-free.ts';
import type { Workplace } from './workplace.ts';

export interface GroupOptions {
  /** Null where readers do not block COMMIT (WAL). */
  gate: Gate | null;
  /** The database's directory, synced after COMMIT; null where SQLite does it (EXTRA) or the system cannot. */
  directory: number | null;
  busyTimeoutMs: number;
  /** The header's change counter now; null where it cannot be trusted (WAL). */
  changeCounter: number | null;
  /** Whether the rollups count what the database holds; if not, they are counted anew. */
  rollupsTrusted: boolean;
  /** The work on older rows. */
  upkeep?: readonly Job[];
  now?: () => number;
}

/** How long COMMIT waits for readers to leave the gate before SQLite's busy handler takes over. */
const GATE_WAIT_MS = 200;

/** Bytes of bodies from which on a group's journal is synced before the gate is shut; below, that would be one flush more. */
const LARGE_BYTES = 256 * 1024;

/** Failures that the disk or other programs bring about. */
const OUTSIDE: ReadonlySet<ErrorCode> = new Set(['full', 'unavailable', 'damaged']);

/** Write to the file what SQLite does not count as changes of rows. */
const UNCOUNTED: ReadonlySet<CommandName> = new Set(['shrink', 'optimize', 'reindex', 'recount']);

/** One transaction, while it is open. */
interface Transaction {
  /** What its commands work with. */
  at: Workplace;
  /** Changes of rows that the connection had seen before. */
  changesBefore: number;
  /** Commands taken, run or not, and the bytes of their bodies. */
  taken: number;
  bytes: number;
  /** Some of them change what SQLite does not count as changes of rows. */
  uncounted: boolean;
  outcomes: Outcomes;
  /** A command wants all runs counted anew, which begins behind this group. */
  recount: boolean;
  changes: Changes;
}

type Outcomes = Outcome<CommandResult>[];

export class GroupWriter {
  readonly #db: Connection;
  readonly #options: GroupOptions;
  readonly #store: Store;
  readonly #positions: Positions;
  readonly #care: Care;
  readonly #rollups: Rollups;
  readonly #upkeep: Upkeep;
  readonly #totalChanges: Statement;
  #counter: number | null;
  #recount: Recount | undefined;
  /** A commit whose directory was not synced: nothing may be acknowledged before it is. */
  #unsynced = true;
  #broken = false;
  #last: Last = NOTHING;

  constructor(db: Connection, options: GroupOptions) {
    this.#db = db;
    this.#options = options;
    this.#store = new Store(db);
    this.#positions = new Positions(db);
    this.#care = new Care(db);
    this.#rollups = new Rollups(db);
    this.#upkeep = new Upkeep(db, options.upkeep);
    this.#totalChanges = db.prepare('SELECT total_changes()').pluck();
    this.#counter = options.changeCounter;
    if (!options.rollupsTrusted) this.#recount = new Recount(db);
  }

  /**
   * Runs a group.
   *
   * @param next the next parcel that goes with it, asked for when those before have run
   * @returns an outcome a command, in order; throws nothing
   */
  execute(first: Parcel, next: () => Parcel | undefined = () => undefined): Outcomes {
    this.#last = NOTHING;
    // Sorting an index of any size: not in memory. It cannot be said within a transaction.
    const sorts = first.commands.some(({ name }) => name === 'reindex');
    const transaction = this.#transaction();
    try {
      if (sorts) this.#db.pragma('temp_store = FILE');
      this.#whenFree('BEGIN IMMEDIATE');
      for (let parcel: Parcel | undefined = first; parcel; parcel = next()) this.#runAll(parcel, transaction);
      this.#finish(transaction);
      return transaction.outcomes;
    } catch (error) {
      this.#rollback(error);
      const failed = { ok: false, error: toWire(toTelemetryError(error)) } as const;
      // What one command alone in its group has brought about is no trouble of the service's.
      if (OUTSIDE.has(failed.error.code)) this.#last = { ...NOTHING, failure: failed.error.message };
      return new Array<Outcome<CommandResult>>(Math.max(transaction.taken, first.commands.length)).fill(failed);
    } finally {
      if (sorts) this.#db.pragma('temp_store = MEMORY');
    }
  }

  get last(): Last {
    return this.#last;
  }

  get recounting(): boolean {
    return this.#recount !== undefined;
  }

  /** Whether the connection must be closed and opened anew. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Counts runs anew for about `budgetMs`, where the rollups cannot be trusted. @throws the database's errors */
  recount(budgetMs: number): void {
    try {
      if (!this.#recount?.step(budgetMs)) return;
      this.#whenFree('BEGIN IMMEDIATE');
      this.#recount.finish(this.#rollups);
      this.#commit(true, true);
      this.#recount = undefined;
    } catch (error) {
      this.#rollback(error);
      this.#recount = new Recount(this.#db);
      throw error;
    }
    this.#syncDirectory();
  }

  /** Whether there may be work on older rows. */
  get upkeeping(): boolean {
    return this.#upkeep.pending;
  }

  /** Works on older rows for about `budgetMs`. @returns undefined where nothing was left to do. @throws the database's errors */
  upkeep(budgetMs: number): Worked | undefined {
    let slice;
    try {
      this.#whenFree('BEGIN IMMEDIATE');
      slice = this.#upkeep.step(budgetMs);
      if (slice && this.#options.gate) syncJournal(this.#db.name);
      this.#commit(slice !== undefined, this.#recount === undefined);
    } catch (error) {
      this.#rollback(error);
      throw error;
    }
    const worked = slice && { note: this.#upkeep.passed(slice) };
    this.#syncDirectory();
    return worked;
  }

  #rollback(error: unknown): void {
    this.#broken ||= isBroken(error);
    try {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    } catch {
      this.#broken = true;
    }
  }

  #transaction(): Transaction {
    const changes = new Changes((id) => this.#recount?.covers(id) ?? false);
    const transaction: Transaction = {
      at: {
        store: this.#store,
        positions: this.#positions,
        care: this.#care,
        now: '',
        mended: new Mended(),
        changed: (id, before, after) => changes.note(id, before, after),
        recount: () => (transaction.recount = true),
      },
      changesBefore: this.#totalChanges.get() as number,
      taken: 0,
      bytes: 0,
      uncounted: false,
      outcomes: [],
      recount: false,
      changes,
    };
    return transaction;
  }

  #runAll({ commands, bytes }: Parcel, transaction: Transaction): void {
    const alone = transaction.taken === 0 && commands.length === 1;
    // Not before it came: a change that joins must not be dated before what was said until then.
    transaction.at.now = timestampOf(this.#options.now?.() ?? Date.now());
    transaction.taken += commands.length;
    transaction.bytes += bytes.byteLength;
    for (const command of commands) {
      transaction.uncounted ||= UNCOUNTED.has(command.name);
      const body = bytes.subarray(command.start, command.end);
      transaction.outcomes.push(this.#run(command, body, alone, transaction));
    }
  }

  /** COMMIT, with the counts of what the commands have changed. */
  #finish({ at, bytes, changesBefore, changes, uncounted, recount }: Transaction): void {
    const wrote = uncounted || this.#totalChanges.get() !== changesBefore;
    if (wrote) this.#rollups.add(changes.counts, changes.arrivals);
    const started = performance.now();
    if (bytes >= LARGE_BYTES && this.#options.gate) syncJournal(this.#db.name);
    const gate = this.#commit(wrote, this.#recount === undefined && !recount);
    // Committed is committed, whatever comes of the directory's sync.
    if (recount) this.#recount = new Recount(this.#db);
    else this.#recount?.add(changes.covered);
    this.#syncDirectory();
    const timing = wrote ? { commit: performance.now() - started, gate } : null;
    this.#last = { timing, failure: null, mended: at.mended.counts };
  }

  /** @param alone nothing else has run in the group yet */
  #run(command: PackedCommand, body: Uint8Array, alone: boolean, transaction: Transaction): Outcome<CommandResult> {
    const { at, changes } = transaction;
    try {
      // A create is one statement, and so its own savepoint; where nothing ran before it, a command needs none,
      // but for merge, which may find out in its midst that it cannot be.
      const simple = command.name === 'create' || (alone && command.name !== 'merge');
      const value = simple
        ? runCommand(command, body, at)
        : this.#db.transaction(() => runCommand(command, body, at))();
      changes.keep();
      at.mended.keep();
      return { ok: true, value };
    } catch (error) {
      changes.drop();
      at.mended.drop();
      // On FULL or IOERR SQLite has rolled the whole group back by itself; the next statement would
      // then commit alone and unsynced.
      if (!this.#db.inTransaction || (alone && !(error instanceof TelemetryError))) throw error;
      return { ok: false, error: toWire(toTelemetryError(error)) };
    }
  }

  /**
   * COMMIT with the gate shut; nothing may be acknowledged before `#syncDirectory` as well.
   *
   * @returns milliseconds that the gate's readers took to leave
   */
  #commit(wrote: boolean, trusted: boolean): number {
    if (!wrote) {
      this.#whenFree('COMMIT');
      return 0;
    }
    const changeCounter = this.#counter === null ? null : nextChangeCounter(this.#counter);
    this.#rollups.setState({ changeCounter, trusted });
    this.#unsynced = true;
    const started = performance.now();
    this.#options.gate?.shut(GATE_WAIT_MS);
    const waited = performance.now() - started;
    try {
      this.#whenFree('COMMIT');
    } finally {
      this.#options.gate?.open();
    }
    this.#counter = changeCounter;
    return waited;
  }

  #whenFree(statement: 'BEGIN IMMEDIATE' | 'COMMIT'): void {
    whenFree(this.#db, statement, this.#options.busyTimeoutMs);
  }

  // FULL syncs the journal and the database, but not the directory after the journal's removal: a
  // power cut then brings the journal back, and it rolls back what was acknowledged.
  #syncDirectory(): void {
    if (!this.#unsynced) return;
    if (this.#options.directory !== null) syncOpen(this.#options.directory);
    this.#unsynced = false;
  }
}
