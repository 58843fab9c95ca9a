/**
 * Group commit: all commands of a group in one transaction, one COMMIT, one answer. Everything the
 * promise "acknowledged = on disk" rests on is in `#commit` and `#syncDirectory` below.
 */
import { fsyncSync } from 'node:fs';
import type { Statement } from 'better-sqlite3';
import type { ErrorCode, Outcome } from '../../errors.ts';
import { TelemetryError, toWire } from '../../errors.ts';
import { timestampOf } from '../../run.ts';
import type { Connection } from '../database.ts';
import type { Gate } from '../gate.ts';
import type { CommandName, CommandResult, Committed, Group, GroupedCommand, Timing } from '../protocol.ts';
import { Care } from './care.ts';
import { runCommand } from './commands.ts';
import { isBroken, isBusy, toTelemetryError } from '../faults.ts';
import { nextChangeCounter } from './header.ts';
import { Recount } from './recount.ts';
import { Positions } from './positions.ts';
import { addTo, type Counts, countRow, emptyCounts, keyOf, Rollups } from './rollups.ts';
import { Store } from './store.ts';
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
  now?: () => number;
}

/** How long COMMIT waits for readers to leave the gate before SQLite's busy handler takes over. */
const GATE_WAIT_MS = 200;

/** Failures that the disk or other programs bring about. */
const OUTSIDE: ReadonlySet<ErrorCode> = new Set(['full', 'unavailable', 'damaged']);

/** Write to the file what SQLite does not count as changes of rows. */
const UNCOUNTED: ReadonlySet<CommandName> = new Set(['shrink', 'optimize', 'reindex', 'recount']);

interface GroupContext {
  /** Canonical time of the group. */
  now: string;
  /** Whether the group is this one command. */
  alone: boolean;
  /** A command wants all runs counted anew, which begins behind this group. */
  recount: boolean;
  counts: Counts;
  /** Runs that came into an agent, job type and status, by key. */
  arrivals: Map<string, number>;
  /** Of `counts`, what lies in rows that a running recount has passed. */
  covered: Counts;
}

type Outcomes = Outcome<CommandResult>[];

export class GroupWriter {
  readonly #db: Connection;
  readonly #options: GroupOptions;
  readonly #store: Store;
  readonly #positions: Positions;
  readonly #care: Care;
  readonly #rollups: Rollups;
  readonly #totalChanges: Statement;
  #counter: number | null;
  #recount: Recount | undefined;
  /** A commit whose directory was not synced: nothing may be acknowledged before it is. */
  #unsynced = true;
  #broken = false;
  #timing: Timing | null = null;
  #failure: string | null = null;

  constructor(db: Connection, options: GroupOptions) {
    this.#db = db;
    this.#options = options;
    this.#store = new Store(db);
    this.#positions = new Positions(db);
    this.#care = new Care(db);
    this.#rollups = new Rollups(db);
    this.#totalChanges = db.prepare('SELECT total_changes()').pluck();
    this.#counter = options.changeCounter;
    if (!options.rollupsTrusted) this.#recount = new Recount(db);
  }

  /** Runs a group. @returns an outcome a command, in order; throws nothing */
  execute(group: Group): Outcomes {
    this.#timing = null;
    this.#failure = null;
    // Sorting an index of any size: not in memory. It cannot be said within a transaction.
    const sorts = group.commands.some(({ name }) => name === 'reindex');
    try {
      if (sorts) this.#db.pragma('temp_store = FILE');
      return this.#transaction(group);
    } catch (error) {
      this.#rollback(error);
      const failed = { ok: false, error: toWire(toTelemetryError(error)) } as const;
      // What one command alone in its group has brought about is no trouble of the service's.
      if (OUTSIDE.has(failed.error.code)) this.#failure = failed.error.message;
      return group.commands.map(() => failed);
    } finally {
      if (sorts) this.#db.pragma('temp_store = MEMORY');
    }
  }

  /** How long the last group's commit took, and why it failed as a whole. */
  get last(): Omit<Committed, 'outcomes'> {
    return { timing: this.#timing, failure: this.#failure };
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
      this.#beginWhenFree();
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

  #rollback(error: unknown): void {
    this.#broken ||= isBroken(error);
    try {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    } catch {
      this.#broken = true;
    }
  }

  #transaction(group: Group): Outcomes {
    this.#beginWhenFree();
    const context: GroupContext = {
      now: timestampOf(this.#options.now?.() ?? Date.now()),
      alone: group.commands.length === 1,
      recount: false,
      counts: emptyCounts(),
      arrivals: new Map(),
      covered: emptyCounts(),
    };
    const before = this.#totalChanges.get();
    const outcomes = group.commands.map((command) =>
      this.#run(command, group.bytes.subarray(command.start, command.end), context),
    );
    const wrote = before !== this.#totalChanges.get() || group.commands.some(({ name }) => UNCOUNTED.has(name));
    if (wrote) this.#rollups.add(context.counts, context.arrivals);
    const started = performance.now();
    const gate = this.#commit(wrote, this.#recount === undefined && !context.recount);
    // Committed is committed, whatever comes of the directory's sync.
    if (context.recount) this.#recount = new Recount(this.#db);
    else this.#recount?.add(context.covered);
    this.#syncDirectory();
    if (wrote) this.#timing = { commit: performance.now() - started, gate };
    return outcomes;
  }

  #run(command: GroupedCommand, body: Uint8Array, context: GroupContext): Outcome<CommandResult> {
    const { now, counts, arrivals, covered, alone } = context;
    const noted: (() => void)[] = [];
    const at: Workplace = {
      store: this.#store,
      positions: this.#positions,
      care: this.#care,
      now,
      changed: (id, before, after) => {
        const into = this.#recount?.covers(id) ? [counts, covered] : [counts];
        noted.push(() => {
          for (const target of into) {
            if (before) countRow(target, before.values, -1);
            if (after) countRow(target, after.values, 1);
          }
          const key = after && keyOf(after.values);
          if (key !== undefined && (!before || keyOf(before.values) !== key)) addTo(arrivals, key, 1);
        });
      },
      recount: () => (context.recount = true),
    };
    try {
      // A create is one statement, and so its own savepoint; alone in its group, a command needs none,
      // but for merge, which may find out in its midst that it cannot be.
      const simple = command.name === 'create' || (alone && command.name !== 'merge');
      const run = (): CommandResult => runCommand(command, body, at);
      const value = simple ? run() : this.#db.transaction(run)();
      for (const note of noted) note();
      return { ok: true, value };
    } catch (error) {
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
      this.#commitWhenFree();
      return 0;
    }
    const changeCounter = this.#counter === null ? null : nextChangeCounter(this.#counter);
    this.#rollups.setState({ changeCounter, trusted });
    this.#unsynced = true;
    const started = performance.now();
    this.#options.gate?.shut(GATE_WAIT_MS);
    const waited = performance.now() - started;
    try {
      this.#commitWhenFree();
    } finally {
      this.#options.gate?.open();
    }
    this.#counter = changeCounter;
    return waited;
  }

  #beginWhenFree(): void {
    this.#whenFree(() => this.#db.exec('BEGIN IMMEDIATE'));
  }

  // A BUSY COMMIT leaves the transaction open, so it can be tried again.
  #commitWhenFree(): void {
    this.#whenFree(() => this.#db.exec('COMMIT'));
  }

  /** Tries while a foreign lock is held, in short waits: between two of them the thread can be stopped. */
  #whenFree(statement: () => void): void {
    const open = this.#db.inTransaction;
    const deadline = performance.now() + this.#options.busyTimeoutMs;
    for (;;) {
      try {
        return statement();
      } catch (error) {
        if (!isBusy(error) || this.#db.inTransaction !== open || performance.now() > deadline) throw error;
      }
    }
  }

  // FULL syncs the journal and the database, but not the directory after the journal's removal: a
  // power cut then brings the journal back, and it rolls back what was acknowledged.
  #syncDirectory(): void {
    if (!this.#unsynced) return;
    if (this.#options.directory !== null) {
      try {
        fsyncSync(this.#options.directory);
      } catch (error) {
        const why =
          'The commit could not be made durable, so its outcome is unknown. Send this again: known runs are not stored twice.';
        throw new TelemetryError('unavailable', why, { cause: error });
      }
    }
    this.#unsynced = false;
  }
}
