/** The spool's thread as its handle sees it: one call at a time, which ends with the thread at the latest. */
import { Worker } from 'node:worker_threads';
import type { Remote } from 'comlink';
import type { SpoolThread } from './protocol.ts';
import { actorBeside, face, THREAD_FLAGS } from '../thread.ts';
import type { SpoolData } from './actor.ts';

export class WatchedThread {
  readonly worker: Worker;
  readonly #remote: Remote<SpoolThread>;
  /** Why there are no more answers. */
  #over: Error | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(workerData: SpoolData) {
    this.worker = new Worker(actorBeside(import.meta.url), {
      workerData,
      name: 'spool',
      execArgv: THREAD_FLAGS,
    });
    this.worker.on('error', (error: Error) => this.interrupt(error));
    this.worker.once('exit', () => this.interrupt(new Error('it ended')));
    this.#remote = face<SpoolThread>(this.worker);
  }

  /**
   * Asks the thread. Not by Promise.race: what lasts as long as the thread would keep every answer.
   *
   * @throws the thread's error, or why it gives no more answers
   */
  call<T>(ask: (remote: Remote<SpoolThread>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#over);
      this.#reject = reject;
      ask(this.#remote).then(resolve, reject);
    });
  }

  /** Ends the call that is waited for, and every later one. */
  interrupt(error: Error): void {
    this.#over ??= error;
    this.#reject?.(this.#over);
  }

  /** Politely first: not in the midst of writing down a rejected line. */
  async end(): Promise<void> {
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    this.worker.once('exit', () => resolve());
    if (this.worker.threadId !== -1) await Promise.race([this.#remote.close(), exited]);
    await this.worker.terminate();
  }
}
