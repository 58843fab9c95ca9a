/** The readers' face in the main thread: a bounded pool of threads with read-only connections. */
import type { Worker } from 'node:worker_threads';
import { Semaphore } from 'async-mutex';
import type { Config } from '../../config.ts';
import { TelemetryError, unwrap } from '../../errors.ts';
import { DURATIONS, Histogram } from '../../histogram.ts';
import type { Logger } from '../../log.ts';
import type { Gate } from '../gate.ts';
import type { ListPage, ListPause, ListTask, Queries, QueryName, QueryTask } from '../protocol.ts';
import { Liveness } from './liveness.ts';
import { walksLong } from './plan.ts';
import { SHOWN_BYTES } from './render.ts';
import { ReaderThreads } from './thread.ts';

/** A list that has walked for so long is given up. */
const LIST_DEADLINE_MS = 30_000;
/** What the service asks for itself: not what its users wait for. */
const OWN: ReadonlySet<QueryName> = new Set(['counted', 'indexes', 'positions', 'series']);

interface Walking {
  /** Whether it is among the long walks already; one that only turns out to be long goes on among them. */
  long: boolean;
  /** How many lists were asked for before. */
  number: number;
  signal: AbortSignal | undefined;
}

export class ReaderPool {
  readonly #threads: ReaderThreads;
  readonly #maxQueue: number;
  /** Long walks at once: fewer than threads, so that quick queries find one. */
  readonly #longWalk: Semaphore;
  #longWalks = 0;
  /** Lists asked for so far. */
  #lists = 0;
  /** Seconds that users waited for a query, however many slices it had. */
  readonly seconds = new Histogram(DURATIONS);
  #refused = 0;
  readonly #liveness = new Liveness(() => this.#run('counted', {}));

  constructor(config: Config, gate: Gate, log: Logger) {
    const { database, readers, techniques, http } = config;
    const { path, busyTimeoutMs } = database;
    const gated = database.journalMode === 'DELETE' && techniques.gate;
    this.#maxQueue = readers.maxQueue;
    this.#longWalk = new Semaphore(Math.max(1, readers.threads - 1));
    // What can be sent can be shown: its text takes up to three bytes a character.
    const shownBytes = Math.max(SHOWN_BYTES, 4 * http.maxBodyBytes);
    const data = { path, busyTimeoutMs, gate: gated ? gate.memory : null, shownBytes };
    this.#threads = new ReaderThreads(readers, data, gate, log);
  }

  /** Resolves once a reader answers. @throws TelemetryError "unavailable" where none can */
  async ready(): Promise<void> {
    await this.ask('metadata', {});
  }

  /** Queries that wait for a thread. */
  get queueSize(): number {
    return this.#threads.waiting;
  }

  /** Queries that may wait. */
  get maxQueue(): number {
    return this.#maxQueue;
  }

  /** Queries refused because too many waited. */
  get refused(): number {
    return this.#refused;
  }

  get threads(): readonly Worker[] {
    return this.#threads.all;
  }

  /**
   * Asks one query.
   *
   * @throws TelemetryError "busy" where too many wait, "unavailable" where the database cannot be read
   */
  async ask<N extends QueryName>(name: N, args: Queries[N]['args']): Promise<Queries[N]['result']> {
    this.#admit();
    return OWN.has(name) ? this.#run(name, args) : this.#timed(() => this.#run(name, args));
  }

  /**
   * A page of the list. A long walk comes back after every slice and goes behind what waits.
   *
   * @param signal ends the walk when nobody wants the page any more
   */
  async list(task: ListTask, signal?: AbortSignal): Promise<ListPage> {
    const number = this.#lists++;
    const long = walksLong(task);
    const walk = (): Promise<ListPage> => this.#walk(task, { long, number, signal });
    return this.#timed(long ? () => this.#amongLong(number, walk) : walk);
  }

  /**
   * The list that was asked for first goes first, whenever it turned out to be long.
   *
   * @throws TelemetryError "busy" where too many long walks wait
   */
  async #amongLong(number: number, walk: () => Promise<ListPage>): Promise<ListPage> {
    if (this.#longWalks >= this.#maxQueue) throw this.#tooMany();
    this.#longWalks++;
    try {
      return await this.#longWalk.runExclusive(walk, 1, -number);
    } finally {
      this.#longWalks--;
    }
  }

  /** Why nothing can be read just now, however many wait; undefined where something can. @param withinMs for the answer */
  trouble(withinMs: number): Promise<string | undefined> {
    return this.#liveness.trouble(withinMs);
  }

  async #walk(task: ListTask, { long, number, signal }: Walking): Promise<ListPage> {
    const deadline = performance.now() + LIST_DEADLINE_MS;
    const stillWanted = (): void => {
      if (signal?.aborted) throw new TelemetryError('unavailable', 'The client has gone');
    };
    stillWanted();
    this.#admit();
    const first = await this.#run('list', task);
    if (!('pause' in first)) return first;
    const goOn = async (): Promise<ListPage> => {
      let answer: ListPage | ListPause = first;
      while ('pause' in answer) {
        stillWanted();
        if (performance.now() > deadline) {
          throw new TelemetryError(
            'unavailable',
            'The list took too long: no index serves these filters. Narrow them, with created_after for example.',
          );
        }
        answer = await this.#run('list', { ...task, resume: answer.pause });
      }
      return answer;
    };
    return long ? goOn() : this.#amongLong(number, goOn);
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  async #run<N extends QueryName>(name: N, args: Queries[N]['args']): Promise<Queries[N]['result']> {
    const value = unwrap(await this.#threads.run({ name, args } as QueryTask)) as Queries[N]['result'];
    this.#liveness.answered();
    return value;
  }

  async #timed<T>(query: () => Promise<T>): Promise<T> {
    const since = performance.now();
    try {
      return await query();
    } finally {
      this.seconds.observe((performance.now() - since) / 1_000);
    }
  }

  /** @throws TelemetryError "busy" where too many wait */
  #admit(): void {
    if (this.#threads.waiting >= this.#maxQueue) throw this.#tooMany();
  }

  #tooMany(): TelemetryError {
    this.#refused++;
    return new TelemetryError('busy', 'Too many queries are waiting. Send this again.');
  }
}
