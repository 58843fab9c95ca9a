/**
 * The writer's face in the main thread: a mailbox with group commit, and the life of its thread.
 * Commands gather while one group commits; there is no timer.
 */
import { Worker } from 'node:worker_threads';
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
  Note,
  WriterInfo,
  WriterThread,
} from '../protocol.ts';
import { actorBeside, face, THREAD_FLAGS, transfer } from '../thread.ts';
import type { WriterData } from './actor.ts';
import { WriterFigures } from './figures.ts';
import { Mailbox } from './mailbox.ts';
import { pack, type Waiting } from './waiting.ts';

const MAX_GROUP_COMMANDS = 5_000;
const MAX_GROUP_BYTES = 8 * 1024 * 1024;
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
  #inFlight: Waiting[] = [];
  #takenAt = 0;
  #pumping = false;
  #closing = false;
  #fatal = false;
  #deaths: number[] = [];
  #downSince: number | undefined = Date.now();
  #info: WriterInfo | undefined;
  #idle: (() => void) | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#mailbox = new Mailbox(options.config.mailbox);
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
    return this.#inFlight.length === 0 ? 0 : performance.now() - this.#takenAt;
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
      if (this.#pumping) await new Promise<void>((resolve) => (this.#idle = resolve));
      if (!this.#worker) return;
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      this.#worker.once('exit', () => resolve());
      // A thread that dies meanwhile does not answer.
      await Promise.race([this.#remote?.close(), exited]);
      await exited;
    });
  }

  // A turn of the event loop, so that what arrived in this one forms a group.
  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    for (;;) {
      const remote = this.#remote;
      const taken = remote ? this.#mailbox.take(MAX_GROUP_COMMANDS, MAX_GROUP_BYTES) : [];
      if (!remote || taken.length === 0) break;
      this.#inFlight = taken;
      this.#takenAt = performance.now();
      this.figures.took(taken, this.#takenAt);
      const group = pack(taken);
      try {
        const committed = (await remote.commit(transfer(group, [group.bytes.buffer]))) as Committed;
        // When the thread has died meanwhile, what was in flight has been answered.
        if (this.#inFlight !== taken) return;
        this.#inFlight = [];
        this.figures.committed(committed);
        this.#settle(taken, committed.outcomes);
      } catch (error) {
        this.#inFlight = [];
        this.figures.failed(describe(error));
        for (const { reject } of taken) reject(unavailable(`The writer failed (${describe(error)})`));
      }
    }
    this.#pumping = false;
    this.#idle?.();
  }

  #settle(taken: Waiting[], outcomes: Outcome<CommandResult>[]): void {
    for (const [index, waiting] of taken.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) waiting.resolve(outcome.value);
      else if (outcome?.error.code === 'refused') {
        waiting.reject(unavailable('The service is stopping'));
        this.#stop(fromWire(outcome.error));
      } else waiting.reject(outcome ? fromWire(outcome.error) : unavailable('The writer gave no answer'));
    }
  }

  async #spawn(first: boolean): Promise<WriterInfo> {
    const { config, gate } = this.#options;
    const workerData: WriterData = {
      database: config.database,
      techniques: config.techniques,
      first,
      gate: gate.memory,
    };
    const worker = new Worker(actorBeside(import.meta.url), {
      workerData,
      name: 'writer',
      execArgv: THREAD_FLAGS,
    });
    const died = new Promise<never>((_, reject) => {
      worker.once('error', (error) => reject(failed(`The writer thread failed: ${describe(error)}.`)));
      worker.once('exit', () => reject(failed('The writer thread ended.')));
    });
    const remote = face<WriterThread>(worker);
    died.catch(() => undefined);
    const opened = await this.#openThread(remote, died);
    if (!opened.ok) await worker.terminate();
    this.#info = unwrap(opened);
    this.#worker = worker;
    this.#remote = remote;
    this.#downSince = undefined;
    worker.on('error', (error) => this.#options.log.error(`The writer thread failed: ${describe(error)}`));
    worker.once('exit', () => this.#onExit());
    if (this.#options.background) worker.unref();
    return this.#info;
  }

  /** Answers everyone who waits, lets readers through, and brings a new thread. */
  #onExit(): void {
    this.#worker = undefined;
    this.#remote = undefined;
    this.#downSince ??= Date.now();
    this.#options.gate.open();
    const lost = [...this.#inFlight.splice(0), ...this.#mailbox.takeAll()];
    this.#inFlight = [];
    this.#pumping = false;
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

  async #openThread(remote: Remote<WriterThread>, died: Promise<never>): Promise<Outcome<WriterInfo>> {
    for (;;) {
      const prepared = (await Promise.race([remote.prepare(), died])) as Outcome<Note | null>;
      if (!prepared.ok) return prepared;
      if (!prepared.value) return (await Promise.race([remote.open(), died])) as Outcome<WriterInfo>;
      const { level, message, fields } = prepared.value;
      this.#options.log[level](message, fields);
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

/** A thread that does not come up: nobody has sent anything yet. */
function failed(why: string): TelemetryError {
  return new TelemetryError('unavailable', `${why} Look at the memory and the disk, then start again.`);
}
