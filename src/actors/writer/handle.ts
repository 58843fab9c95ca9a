/**
 * The writer's face in the main thread: a mailbox with group commit, and the life of its thread.
 * Commands gather while one group commits; there is no timer.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Mutex } from 'async-mutex';
import type { Remote } from 'comlink';
import type { Config } from '../../config.ts';
import { describe, fromWire, type Outcome, TelemetryError, unwrap } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Gate } from '../gate.ts';
import type {
  CommandName,
  CommandResult,
  Commands,
  Committed,
  Copied,
  Worked,
  WriterInfo,
  WriterThread,
} from '../protocol.ts';
import { WriterFigures } from './figures.ts';
import { Mailbox } from './mailbox.ts';
import { startThread } from './thread.ts';
import { pack, type Waiting } from './waiting.ts';

/** What may be with the writer at once, and so in one transaction. */
const GROUP = { maxCommands: 5_000, maxBytes: 8 * 1024 * 1024 };
/** Commands that are sent on before the event loop has had its turn, so that a busy one does not keep the writer waiting. */
const CHUNK = 32;
const MAX_DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;
const FIRST_BACKOFF_MS = 50;

export interface WriterOptions {
  config: Config;
  gate: Gate;
  log: Logger;
  /** Its thread does not keep the process alive. */
  background?: boolean;
  /** Called once when the writer cannot go on: the service must stop. */
  onFatal(error: TelemetryError): void;
}

export class WriterHandle {
  readonly #options: WriterOptions;
  readonly #mailbox: Mailbox<Waiting>;
  /** What it has seen since the start. */
  readonly figures = new WriterFigures();
  /** Orders opening, respawning and closing: they must not overlap. */
  readonly #life = new Mutex();
  #worker: Worker | undefined;
  #remote: Remote<WriterThread> | undefined;
  #parcels: MessagePort | undefined;
  #scheduled = false;
  #version = 0;
  #closing = false;
  #fatal = false;
  #deaths: number[] = [];
  #downSince: number | undefined = Date.now();
  #info: WriterInfo | undefined;
  #idle: (() => void) | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { mailbox, techniques } = options.config;
    this.#mailbox = new Mailbox(mailbox, techniques.groupCommit ? GROUP : { ...GROUP, maxCommands: 1 });
  }

  /** @throws TelemetryError "refused" when the database cannot be opened */
  async open(): Promise<WriterInfo> {
    return this.#life.runExclusive(() => this.#spawn(true));
  }

  /** What the database said of itself when it was opened. */
  get info(): WriterInfo {
    if (!this.#info) throw new TelemetryError('unavailable', 'The database is not open yet');
    return this.#info;
  }

  /** Milliseconds for which no writer has been there; 0 while one is. */
  get downForMs(): number {
    return this.#downSince === undefined ? 0 : Date.now() - this.#downSince;
  }

  /** Milliseconds for which a group has been with the writer; 0 where none is. */
  get committingMs(): number {
    return this.#mailbox.busyFor();
  }

  /** Rises with every group, and every slice of work on older rows, that may have changed the database, before anyone hears of it. */
  get version(): number {
    return this.#version;
  }

  /** The writer's thread, for whoever watches threads; undefined while there is none. */
  get thread(): Worker | undefined {
    return this.#worker;
  }

  /** What waits for the writer, and how much may. */
  get mailbox(): Readonly<Pick<Mailbox<Waiting>, 'depth' | 'bytes' | 'limits'>> {
    return this.#mailbox;
  }

  /**
   * Sends a command; settles once its outcome is on disk.
   *
   * @param body JSON as bytes, which the writer parses
   * @throws TelemetryError of the command, "busy" where the mailbox is full, "unavailable" without a writer
   */
  send<N extends CommandName>(name: N, args: Commands[N]['args'], body: Uint8Array): Promise<CommandResult<N>> {
    return new Promise((resolve, reject) => {
      if (this.#closing || !this.#remote) return reject(unavailable('The writer is not running'));
      const settle = resolve as (result: CommandResult) => void;
      const since = performance.now();
      const waiting: Waiting = { name, args, body, bytes: body.byteLength, since, resolve: settle, reject };
      if (!this.#mailbox.offer(waiting)) {
        this.figures.refused++;
        return reject(
          new TelemetryError('busy', 'The service has more to write than it takes at once. Send this again.'),
        );
      }
      this.#schedule();
    });
  }

  /**
   * Copies the database to a new file while commands go on; the copy holds what was committed when it is complete.
   *
   * @param signal ends it
   * @throws TelemetryError "unavailable" without a writer, or where it dies meanwhile
   */
  async copy(path: string, signal: AbortSignal): Promise<Copied> {
    const worker = this.#worker;
    const remote = this.#remote;
    if (this.#closing || !worker || !remote) throw unavailable('The writer is not running');
    const end = (): void => void remote.endCopy(path);
    signal.addEventListener('abort', end);
    const { promise: died, reject } = Promise.withResolvers<never>();
    const onExit = (): void => reject(unavailable('The writer stopped during the copy'));
    worker.once('exit', onExit);
    try {
      return unwrap((await Promise.race([remote.copy(path), died])) as Outcome<Copied>);
    } finally {
      worker.off('exit', onExit);
      signal.removeEventListener('abort', end);
    }
  }

  /** Answers what was taken, then closes database and lock. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#life.runExclusive(async () => {
      if (!this.#mailbox.isEmpty) await new Promise<void>((resolve) => (this.#idle = resolve));
      if (!this.#worker) return;
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      this.#worker.once('exit', () => resolve());
      // A thread that dies meanwhile does not answer.
      await Promise.race([this.#remote?.close(), exited]);
      await exited;
    });
  }

  // A turn of the event loop, so that what arrived in this one goes together.
  #schedule(): void {
    if (this.#mailbox.isBusy && this.#mailbox.unsent >= CHUNK) return this.#post();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#post();
    });
  }

  /** Sends what waits, also while the writer works: it finds it there, and adds it to its group or begins the next. */
  #post(): void {
    const taken = this.#parcels ? this.#mailbox.send() : [];
    if (!this.#parcels || taken.length === 0) return;
    const parcel = pack(taken);
    this.#parcels.postMessage(parcel, [parcel.bytes.buffer]);
  }

  #onCommitted(committed: Committed): void {
    this.#version++;
    const now = performance.now();
    const answered = this.#mailbox.answered(committed.outcomes.length, now);
    this.figures.committed(committed, answered, now);
    this.#post();
    this.#settle(answered, committed.outcomes);
    if (this.#mailbox.isEmpty) this.#idle?.();
  }

  #onWorked({ note }: Worked): void {
    this.#version++;
    if (note) this.#options.log[note.level](note.message, note.fields);
  }

  #settle(answered: Waiting[], outcomes: Outcome<CommandResult>[]): void {
    for (const [index, waiting] of answered.entries()) {
      const outcome = outcomes[index] as Outcome<CommandResult>;
      if (outcome.ok) waiting.resolve(outcome.value);
      else if (outcome.error.code === 'refused') {
        waiting.reject(unavailable('The service is stopping'));
        this.#stop(fromWire(outcome.error));
      } else waiting.reject(fromWire(outcome.error));
    }
  }

  async #spawn(first: boolean): Promise<WriterInfo> {
    const { config, gate, log, background } = this.#options;
    const { worker, remote, parcels, info } = await startThread(config, gate, log, first);
    this.#info = info;
    this.#worker = worker;
    this.#remote = remote;
    this.#parcels = parcels;
    parcels.on('message', (done: Committed | Worked) => {
      // What a dead thread had said is answered already.
      if (this.#parcels !== parcels) return;
      if ('outcomes' in done) this.#onCommitted(done);
      else this.#onWorked(done);
    });
    if (background) worker.unref();
    // The thread keeps the process alive where it should, not its port.
    parcels.unref();
    this.#downSince = undefined;
    worker.on('error', (error) => log.error(`The writer thread failed: ${describe(error)}`));
    worker.once('exit', () => this.#onExit());
    return info;
  }

  /** Answers everyone who waits, lets readers through, and brings a new thread. */
  #onExit(): void {
    this.#worker = undefined;
    this.#remote = undefined;
    this.#parcels?.close();
    this.#parcels = undefined;
    this.#version++;
    this.#downSince ??= Date.now();
    this.#options.gate.open();
    const lost = this.#mailbox.takeAll();
    for (const { reject } of lost)
      reject(unavailable('The writer stopped before it could answer, so the outcome is unknown'));
    this.#idle?.();
    if (this.#closing || this.#fatal) return;
    this.figures.died(lost.length > 0);
    this.#options.log.error('The writer thread died', { error_type: 'WriterDeath', waiting: lost.length });
    void this.#life.runExclusive(() => this.#respawn());
  }

  async #respawn(): Promise<void> {
    while (!this.#closing && !this.#fatal) {
      const now = Date.now();
      this.#deaths = [...this.#deaths.filter((at) => now - at < DEATHS_WITHIN_MS), now];
      if (this.#deaths.length >= MAX_DEATHS) {
        return this.#stop(
          new TelemetryError(
            'refused',
            `The writer thread died ${MAX_DEATHS} times within ${DEATHS_WITHIN_MS / 1000} s. Stopping; the lines before this one say why.`,
          ),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, FIRST_BACKOFF_MS * 2 ** (this.#deaths.length - 1)));
      try {
        await this.#spawn(false);
        this.#options.log.warning('The writer thread runs again');
        return;
      } catch (error) {
        this.#options.log.error(`The writer thread could not be started again: ${describe(error)}`);
      }
    }
  }

  #stop(error: TelemetryError): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#options.onFatal(error);
  }
}

function unavailable(why: string): TelemetryError {
  return new TelemetryError('unavailable', `${why}. Send this again: known runs are not stored twice.`);
}
