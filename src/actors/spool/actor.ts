/** The spool's thread: reads the files and checks their lines. It is asked for batches; it calls nobody. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SpoolPosition } from '../protocol.ts';
import type { SpoolAnswer, SpoolOutcome, SpoolThread } from './protocol.ts';
import { offer, transfer } from '../thread.ts';
import { Drain, type DrainOptions } from './drain.ts';
import { Watch } from './watch.ts';

export interface SpoolData extends Omit<DrainOptions, 'clock'> {
  intervalMs: number;
  positions: SpoolPosition[];
}

const { intervalMs, ...options } = workerData as SpoolData;
const drain = new Drain(options);
const watch = new Watch(options.directory);

const thread: SpoolThread = {
  next(): SpoolAnswer {
    const answer = drain.next(watch.takeNames());
    return answer.batch ? transfer(answer, [answer.batch.body.buffer]) : answer;
  },
  settle(outcome: SpoolOutcome): void {
    drain.settle(outcome);
  },
  wait(): Promise<void> {
    return watch.wait(Math.min(intervalMs, drain.wakeInMs()));
  },
  close(): void {
    watch.close();
    drain.close();
  },
};

if (parentPort) offer(thread, parentPort);
