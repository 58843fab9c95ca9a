/**
 * The readers' threads, and the queries that wait for one: first come, first served. A query is handed over only when a
 * thread is idle, because piscina keeps no order among those that wait: without `stricterFIFO` it puts the next one behind all
 * others, and with it those that can be aborted are served last come, first.
 *
 * A thread gives a sign of life at each visit to the database. Where none comes for too long, whoever asked is told so, and
 * the thread is ended and replaced. One that is inside SQLite only ends when its statement does: nothing interrupts that.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { describe, type Outcome, TelemetryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Gate } from '../gate.ts';
import type { Queries, QueryName, QueryTask } from '../protocol.ts';
import { actorBeside, THREAD_FLAGS } from '../thread.ts';
import type { ReaderData } from './actor.ts';
import { Allowance } from './allowance.ts';

/** Threads ended within a minute, and those that were ended and are still there: the gate has slots for as many. */
const ENDED_A_MINUTE = 10;
const ENDING_AT_ONCE = 8;
/** Times that the signs of life are looked at before a thread counts as stuck. */
const LOOKS = 10;
/** A thread that is still starting, of which there is no sign yet, has so many times as long. */
const STARTING = 6;
/** What a closing pool waits for. Nobody waits for its queries then. */
const CLOSING_MS = 1_000;

type Answer = Outcome<Queries[QueryName]['result']>;

interface Waiting {
  task: QueryTask;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** Ends the thread that a query is with. What piscina needs of an AbortSignal, which would cost each query 2 us. */
class Ending {
  ended = false;
  #listener: (() => void) | undefined;

  once(_name: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeListener(): void {
    this.#listener = undefined;
  }

  off(): void {
    this.#listener = undefined;
  }

  end(): void {
    this.ended = true;
    this.#listener?.();
  }
}

/** One query at a time with a thread; there are as many places as threads. */
interface Place {
  index: number;
  ending: Ending;
  query: Waiting | undefined;
  /** The count of signs of life when last looked at, and since when it has been that. */
  signs: number;
  since: number;
}

export interface ThreadOptions {
  threads: number;
  /** Without a sign of life for so long, a thread is stuck. */
  timeoutMs: number;
  /** Where the program of a thread is: a test may have another. */
  actor?: string;
}

export class ReaderThreads {
  readonly #pool: Piscina<QueryTask & { place: number }, Answer>;
  readonly #gate: Gate;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  readonly #idle: Place[] = [];
  readonly #working = new Set<Place>();
  /** Counts of signs of life, by place; 0 until a query's first. */
  readonly #signs: Int32Array;
  /** Threads that have not exited. */
  readonly #alive = new Set<Worker>();
  readonly #endings = new Allowance(ENDED_A_MINUTE, 60_000);
  readonly #looking: NodeJS.Timeout;

  constructor(options: ThreadOptions, data: Omit<ReaderData, 'signs'>, gate: Gate, log: Logger) {
    const { threads, timeoutMs, actor = actorBeside(import.meta.url).href } = options;
    this.#gate = gate;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#signs = new Int32Array(new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT));
    const workerData: ReaderData = { ...data, signs: this.#signs };
    this.#pool = new Piscina({
      filename: actor,
      workerData,
      execArgv: THREAD_FLAGS,
      minThreads: threads,
      maxThreads: threads,
      maxQueue: Infinity,
      closeTimeout: CLOSING_MS,
    });
    for (let index = threads - 1; index >= 0; index--) this.#idle.push(placeOf(index));
    // A thread that fails outside a query; unheard, the event would end the process.
    this.#pool.on('error', (error) =>
      log.error(`A reader thread failed: ${describe(error)}`, { error_type: 'ReaderDeath' }),
    );
    this.#pool.on('workerCreate', () => {
      this.#watchThreads();
      // It counts as idle a moment later.
      queueMicrotask(() => this.#handOver());
    });
    this.#watchThreads();
    this.#looking = setInterval(() => this.#look(), timeoutMs / LOOKS);
    this.#looking.unref();
  }

  /** Queries that wait for a thread. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get all(): readonly Worker[] {
    return this.#pool.threads;
  }

  /** Has a thread answer a query, when its turn comes. @throws TelemetryError "unavailable" where the thread dies or is stuck */
  run(task: QueryTask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ task, resolve, reject });
      this.#handOver();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const { reject } of this.#waiting) reject(new TelemetryError('unavailable', 'The service is stopping'));
    this.#waiting.clear();
    // A thread that is stuck within SQLite ends with its statement; nobody waits for that.
    await Promise.race([this.#pool.close({ force: true }), pause(2 * CLOSING_MS, undefined, { ref: false })]);
  }

  /** Gives the query that came first to a thread, for as long as there are both. */
  #handOver(): void {
    for (const query of this.#waiting) {
      // A thread that is missing is started by piscina when it is asked.
      const startable = this.#pool.threads.length < this.#pool.maxThreads;
      if (this.#idle.length === 0 || (this.#pool.idleThreads === 0 && !startable)) return;
      this.#waiting.delete(query);
      this.#start(this.#idle.pop() as Place, query);
    }
  }

  #start(place: Place, query: Waiting): void {
    const { index, ending } = place;
    Atomics.store(this.#signs, index, 0);
    place.query = query;
    place.signs = 0;
    place.since = performance.now();
    this.#working.add(place);
    const done = (tell: () => void): void => {
      this.#working.delete(place);
      this.#idle.push(ending.ended ? placeOf(index) : place);
      // Before the answer is sent on: the thread need not wait for that.
      this.#handOver();
      tell();
    };
    this.#pool.run({ ...query.task, place: index }, { signal: ending }).then(
      (answer) => done(() => query.resolve(answer)),
      (error: unknown) => done(() => query.reject(failed(error))),
    );
  }

  #look(): void {
    const now = performance.now();
    for (const place of this.#working) {
      const signs = Atomics.load(this.#signs, place.index);
      const longest = signs === 0 ? STARTING * this.#timeoutMs : this.#timeoutMs;
      if (signs !== place.signs) Object.assign(place, { signs, since: now });
      else if (now - place.since > longest) this.#giveUp(place);
    }
  }

  #giveUp(place: Place): void {
    const seconds = this.#timeoutMs / 1_000;
    const name = place.query?.task.name;
    if (place.query) {
      const why = `A reader gave no sign of life for ${seconds} s and was given up. Ask for less at once, or raise TELEMETRY_READER_TIMEOUT_MS.`;
      place.query.reject(new TelemetryError('unavailable', why));
      place.query = undefined;
    }
    const ending = this.#alive.size - this.#pool.threads.length;
    if (ending >= ENDING_AT_ONCE || !this.#endings.take()) return;
    const what = `A reader thread gave no sign of life for ${seconds} s: it is ended, and another is started`;
    this.#log.error(what, { error_type: 'ReaderStuck', query: name });
    place.ending.end();
    this.#watchThreads();
  }

  /** A thread that dies inside the gate would shut the writer out. */
  #watchThreads(): void {
    for (const thread of this.#pool.threads) {
      if (this.#alive.has(thread)) continue;
      this.#alive.add(thread);
      const { threadId } = thread;
      thread.once('exit', () => {
        this.#alive.delete(thread);
        this.#gate.release(threadId);
      });
    }
  }
}

const placeOf = (index: number): Place => ({
  index,
  ending: new Ending(),
  query: undefined,
  signs: 0,
  since: 0,
});

const failed = (error: unknown): TelemetryError =>
  new TelemetryError('unavailable', `A reader failed (${describe(error)}). Send this again.`, { cause: error });
