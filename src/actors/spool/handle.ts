/**
 * The spool's face in the main thread: drives its thread, brings batches to the writer, and tells
 * what became of them. Whatever fails here, the service goes on: the files wait.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Config } from '../../config.ts';
import { describe } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Queries, SpoolFile, SpoolPosition } from '../protocol.ts';
import type { SpoolAnswer, SpoolOutcome } from './protocol.ts';
import { Delivery, type Sender } from './delivery.ts';
import { Progress, type SpoolCounts } from './progress.ts';
import { WatchedThread } from './thread.ts';

export interface SpoolOptions {
  config: Config;
  writer: Sender;
  readers: { ask(name: 'positions', args: Queries['positions']['args']): Promise<SpoolPosition[]> };
  log: Logger;
  /** Its thread does not keep the process alive. */
  background?: boolean;
}

/** How long the start waits for what lies there already to be stored. */
const FIRST_PASS_MS = 2_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 30_000;
const GRACE_MS = 3_000;
const REST_MS = 1_000;
const HOUR_MS = 60 * 60 * 1_000;
const KEEP_MS = 7 * 24 * HOUR_MS;

const nothing = new Uint8Array();

export class SpoolHandle {
  readonly #options: SpoolOptions;
  readonly #progress: Progress;
  readonly #delivery: Delivery;
  readonly #closing = new AbortController();
  /** Files whose positions are still to be forgotten. */
  #gone: SpoolFile[] = [];
  #thread: WatchedThread | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SpoolOptions) {
    const { config, writer, log } = options;
    this.#options = options;
    this.#progress = new Progress(log);
    const { signal } = this.#closing;
    this.#delivery = new Delivery({ writer, log, maxRunBytes: config.http.maxBodyBytes, signal });
  }

  /** Starts, and resolves when what lies there is stored; after a while it goes on in the background. Throws nothing. */
  async open(): Promise<void> {
    const { promise: passed, resolve: onPass } = Promise.withResolvers<void>();
    this.#running = this.#run(onPass);
    const timeUp = new AbortController();
    await Promise.race([passed, pause(FIRST_PASS_MS, undefined, { signal: timeUp.signal }).catch(() => undefined)]);
    timeUp.abort();
  }

  /** The spool at the last look; no thread is asked. */
  get counts(): SpoolCounts {
    return this.#progress.counts;
  }

  /** The spool's thread, for whoever watches threads; undefined while there is none. */
  get thread(): Worker | undefined {
    return this.#thread?.worker;
  }

  /** Waits for the batch that is being stored; the rest stays for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#thread?.interrupt(new Error('The service is closing'));
    await this.#running;
  }

  /** @param onPass called after the first pass, or when it cannot be made */
  async #run(onPass: () => void): Promise<void> {
    const { signal } = this.#closing;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      try {
        const thread = await this.#spawn();
        while (!signal.aborted) {
          await this.#drain(thread);
          backoffMs = FIRST_BACKOFF_MS;
          onPass();
          await thread.call((remote) => remote.wait());
        }
      } catch (error) {
        if (!signal.aborted)
          this.#options.log.error(`The spool thread failed: ${describe(error)}`, { error_type: 'SpoolDeath' });
      }
      onPass();
      this.#progress.drained();
      await this.#thread?.end();
      this.#thread = undefined;
      await pause(backoffMs, undefined, { signal, ref: false }).catch(() => undefined);
      backoffMs = Math.min(2 * backoffMs, LONGEST_BACKOFF_MS);
    }
  }

  async #spawn(): Promise<WatchedThread> {
    const { config, readers, background } = this.#options;
    const { directory, batchSize, intervalSeconds, maxAgeHours } = config.spool;
    const positions = await readers.ask('positions', {});
    this.#thread = new WatchedThread({
      directory,
      batchLines: batchSize,
      maxRunBytes: config.http.maxBodyBytes,
      positions,
      graceMs: GRACE_MS,
      restMs: REST_MS,
      maxAgeMs: maxAgeHours * HOUR_MS,
      keepMs: KEEP_MS,
      intervalMs: intervalSeconds * 1_000,
    });
    if (background) this.#thread.worker.unref();
    return this.#thread;
  }

  /** Stores batch after batch until there is none, or the service closes. */
  async #drain(thread: WatchedThread): Promise<void> {
    for (;;) {
      const answer = await thread.call((remote) => remote.next());
      this.#note(answer);
      const { batch, more } = answer;
      if (this.#closing.signal.aborted || (!batch && !more)) break;
      if (!batch) continue;
      const delivered = await this.#delivery.store(batch);
      let outcome: SpoolOutcome;
      if (delivered.ok) {
        const { applied, position } = delivered.result;
        // Not applied and yet there: the answer to an earlier try was lost.
        if (applied || position === batch.to) this.#progress.stored(batch, delivered.result);
        outcome = { ok: true, position };
      } else outcome = delivered;
      await thread.call((remote) => remote.settle(outcome));
    }
    this.#progress.drained();
    await this.#forget();
  }

  #note({ notes, gone, status, rejected }: SpoolAnswer): void {
    for (const { level, message, fields } of notes) this.#options.log[level](message, fields);
    this.#gone.push(...gone);
    this.#progress.saw(status, rejected);
  }

  /** Drops the positions of files that are gone; where that fails, with the next drain. */
  async #forget(): Promise<void> {
    const files = this.#gone;
    if (files.length === 0) return;
    try {
      await this.#options.writer.send('forget', { files }, nothing);
      this.#gone = [];
    } catch {
      // Nobody waits for it.
    }
  }
}
