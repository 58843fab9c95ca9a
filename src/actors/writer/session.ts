/**
 * The writer's life with a database: lock, look, migrate, open; close and open again after an I/O
 * error; never a statement without the lock. Plain logic, which the tests call without a thread.
 */
import { closeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config.ts';
import { describe, type Outcome, TelemetryError, toWire } from '../../errors.ts';
import { copyDatabase } from '../copy.ts';
import { type Connection, openWritable, readPragmas } from '../database.ts';
import type { Gate } from '../gate.ts';
import type { CommandResult, Copied, Note, Parcel, WriterInfo } from '../protocol.ts';
import { isBusy, toTelemetryError } from '../faults.ts';
import { GroupWriter } from './group.ts';
import { readChangeCounter } from './header.ts';
import { identityOf, ProcessLock } from './lock.ts';
import { inspect } from './inspect.ts';
import { migrate, readMigrations } from './migrate.ts';
import { StartMigration } from './older/start.ts';
import { createPrivate, locate, openToSync } from './place.ts';
import { Rollups } from './rollups.ts';
import { requireWritableDatabase } from './writable.ts';

/** What the writer needs to know; crosses to its thread as a plain object. */
export interface SessionOptions {
  database: Config['database'];
  techniques: Config['techniques'];
  /** The first session of the process: nothing in it has the database open yet. */
  first: boolean;
}

/** How long opening may count runs anew before it goes on in the background. */
const RECOUNT_AT_START_MS = 1_000;
/** How long a migration goes on before it is said how far it is. */
const MIGRATING_MS = 1_000;
/** Copied at once; a group waits no longer than that takes. */
const COPIED_PAGES = 256;

export class Session {
  readonly #options: SessionOptions;
  readonly #gate: Gate;
  #lock: ProcessLock | undefined;
  /** Copies being made, and whether each is to end. */
  readonly #copies = new Map<string, boolean>();
  #migration: StartMigration | undefined;
  #path = '';
  #identity: string | undefined;
  #directory: number | null = null;
  #db: Connection | undefined;
  #group: GroupWriter | undefined;
  #last: GroupWriter['last'] = { timing: null, failure: null, mended: {} };

  constructor(options: SessionOptions, gate: Gate) {
    this.#options = options;
    this.#gate = gate;
  }

  /**
   * Brings a database of an earlier version to this one, a second at a time.
   *
   * @returns what there is to say of it, to be called again then; undefined where the database can be opened
   * @throws TelemetryError "refused" with the remedy; the database is then untouched
   */
  prepare(): Note | undefined {
    return this.#orClosed(() => {
      this.#lockFirst();
      const state = this.#migration?.step(MIGRATING_MS);
      if (!state) return undefined;
      if ('progress' in state)
        return { level: 'info', message: 'Migrating the database', fields: { ...state.progress } };
      this.#migration = undefined;
      const { leftBehind: left_behind, seconds, ...migrated } = state.migrated;
      const fields = { ...migrated, left_behind, seconds: Math.round(seconds * 1_000) / 1_000 };
      return { level: 'info', message: 'Database migrated', fields };
    });
  }

  /** @throws TelemetryError "refused" with the remedy; the database is then untouched */
  open(): WriterInfo {
    while (this.prepare());
    return this.#orClosed(() => this.#open());
  }

  #orClosed<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.close();
      if (error instanceof TelemetryError) throw error;
      const { path } = this.#options.database;
      const why = `Cannot open the database ${path}: ${describe(error)}. Check that this user may write there, or set TELEMETRY_DB_PATH.`;
      throw new TelemetryError('refused', why, { cause: error });
    }
  }

  #lockFirst(): void {
    if (this.#lock) return;
    const { database, first } = this.#options;
    this.#path = locate(database.path);
    requireWritableDatabase(this.#path, database.journalMode);
    this.#lock = new ProcessLock(this.#path, database.lockFile);
    if (first) this.#migration = StartMigration.of(this.#path, database.autoMigrateMaxRows);
  }

  // EXTRA has SQLite do it; in WAL there is no journal to remove.
  get #needsSync(): boolean {
    const { database, techniques } = this.#options;
    return techniques.directorySync && database.journalMode === 'DELETE' && database.synchronous !== 'EXTRA';
  }

  #open(): WriterInfo {
    const { database, first } = this.#options;
    const warnings: string[] = [];
    this.#directory = this.#needsSync ? openToSync(dirname(this.#path), warnings) : null;
    const db = first ? this.#firstConnection() : this.#connect();
    const pragmas = readPragmas(db.connection);
    this.#use(db);
    this.#recountAtStart(warnings);
    return { path: database.path, realPath: this.#path, ...pragmas, warnings };
  }

  // A database that is locked just now must not keep the service from starting: it counts on in the background.
  #recountAtStart(warnings: string[]): void {
    try {
      this.recount(RECOUNT_AT_START_MS);
    } catch (error) {
      warnings.push(
        `The runs could not be counted at the start (${describe(error)}); totals may be wrong until they are`,
      );
    }
  }

  /**
   * Commits a group: the first parcel, and those that `next` has when the ones before have run.
   *
   * @returns an outcome a command; code "refused" means that the service must stop
   */
  commit(first: Parcel, next?: () => Parcel | undefined): Outcome<CommandResult>[] {
    try {
      this.#verify();
      const writer = this.#ready();
      const outcomes = writer.execute(first, next);
      this.#last = writer.last;
      this.#dropIfBroken();
      return outcomes;
    } catch (error) {
      const failed = { ok: false, error: toWire(toTelemetryError(error)) } as const;
      this.#last = { timing: null, failure: failed.error.message, mended: {} };
      return first.commands.map(() => failed);
    }
  }

  /** How long the last group's commit took, why it failed as a whole, and what it mended. */
  get last(): GroupWriter['last'] {
    return this.#last;
  }

  /**
   * Copies the database to a new file, some pages at a time, between which groups are committed: this connection
   * brings its own commits into the copy, where a commit of any other would make it begin anew.
   *
   * @throws TelemetryError "bad_request" where the file cannot be made; the database's errors. Nothing of the copy stays then
   */
  async copy(path: string): Promise<Copied> {
    this.#verify();
    this.#ready();
    createPrivate(path);
    this.#copies.set(path, false);
    const onProgress = (): void => {
      if (this.#copies.get(path)) throw new TelemetryError('unavailable', 'The copy was ended: nobody waits for it.');
    };
    try {
      const timeoutMs = this.#options.database.busyTimeoutMs;
      const pages = await copyDatabase(this.#db as Connection, path, { pages: COPIED_PAGES, timeoutMs, onProgress });
      return { path, pages };
    } finally {
      this.#copies.delete(path);
    }
  }

  /** Ends a copy that is being made. */
  endCopy(path: string): void {
    if (this.#copies.has(path)) this.#copies.set(path, true);
  }

  get recounting(): boolean {
    return this.#group?.recounting ?? false;
  }

  /** A slice of recounting between groups. @throws the database's errors */
  recount(budgetMs: number): void {
    this.#verify();
    try {
      this.#group?.recount(budgetMs);
    } finally {
      this.#dropIfBroken();
    }
  }

  close(): void {
    this.#migration?.end();
    this.#migration = undefined;
    this.#db?.close();
    this.#db = undefined;
    this.#group = undefined;
    if (this.#directory !== null) closeSync(this.#directory);
    this.#directory = null;
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** @throws TelemetryError "refused" when the lock or the database was taken away under us */
  #verify(): void {
    this.#lock?.verify();
    if (identityOf(this.#path) === this.#identity) return;
    const why = `The database ${this.#path} was removed or replaced while this service had it open. Stopping; start the service again.`;
    throw new TelemetryError('refused', why);
  }

  #ready(): GroupWriter {
    if (!this.#group) this.#use(this.#connect());
    return this.#group as GroupWriter;
  }

  #dropIfBroken(): void {
    if (!this.#group?.broken) return;
    this.#group = undefined;
    try {
      this.#db?.close();
    } finally {
      this.#db = undefined;
    }
  }

  #use({ connection, changeCounter, rollupsTrusted }: Opened): void {
    const { database, techniques } = this.#options;
    const rollback = database.journalMode === 'DELETE';
    this.#db = connection;
    this.#identity = identityOf(this.#path);
    this.#group = new GroupWriter(connection, {
      gate: rollback && techniques.gate ? this.#gate : null,
      directory: this.#directory,
      busyTimeoutMs: database.busyTimeoutMs,
      changeCounter: rollback ? changeCounter : null,
      rollupsTrusted: rollback && rollupsTrusted,
    });
  }

  /** Opens with the header's change counter read before and after, when nothing else has the file open. */
  #firstConnection(): Opened {
    const before = readChangeCounter(this.#path);
    const trial = this.#connect();
    const rollupsTrusted = trial.rollupsTrusted && trial.changeCounter === before;
    if (!rollupsTrusted && trial.rollupsTrusted) distrust(trial.connection);
    // Opening may itself have written: this, a migration, another journal mode.
    trial.connection.close();
    const changeCounter = readChangeCounter(this.#path);
    return { connection: this.#connect().connection, changeCounter, rollupsTrusted };
  }

  /** A writable connection to a database of the newest schema, with the pragmas asked for. */
  #connect(): Opened {
    const migrations = readMigrations();
    const version = inspect(this.#path, migrations);
    const { database } = this.#options;
    const connection = openWritable({ ...database, path: this.#path });
    try {
      const pragmas = readPragmas(connection);
      if (pragmas.journalMode !== database.journalMode || pragmas.synchronous !== database.synchronous) {
        const got = `journal_mode=${pragmas.journalMode}, synchronous=${pragmas.synchronous}`;
        throw new TelemetryError(
          'refused',
          `SQLite did not accept the journal settings: it answers ${got}. Is another program using ${this.#path}?`,
        );
      }
      migrate(connection, version, migrations);
      const { changeCounter, trusted } = new Rollups(connection).state();
      return { connection, changeCounter, rollupsTrusted: trusted };
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

/** Writes down that the counts are wrong, for the next connection of this process must not trust what this one saw through. */
function distrust(connection: Connection): void {
  try {
    new Rollups(connection).setState({ changeCounter: null, trusted: false });
  } catch (error) {
    // Locked by another program just now: this connection knows it all the same.
    if (!isBusy(error)) throw error;
  }
}

interface Opened {
  connection: Connection;
  changeCounter: number | null;
  rollupsTrusted: boolean;
}
