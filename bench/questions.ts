/** What a benchmark may ask its service's process, over IPC and one at a time, and what that answers. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds. */
export interface LoopDelays {
  p50: number;
  p99: number;
  max: number;
  /** How many were measured. */
  ticks: number;
}

export interface Answers {
  /** Bytes: of the whole process, and of its main thread's heap. */
  memory: NodeJS.MemoryUsage;
  /** Begins to watch the main thread's event loop. */
  watch: true;
  /** What was seen since, and ends it: its timer costs something. */
  delays: LoopDelays;
}

export type Question = keyof Answers;

/**
 * A timer that is due so often tells the delays: the histogram has the times from one of its ticks to the next, so this is
 * in every value, and is taken off. A coarser one would hide as much of each delay. While the loop is held it ticks once, so
 * p99 is of ticks, not of time: of the longest delays only max says all.
 */
const RESOLUTION_MS = 1;
const NANOSECONDS = 1e6;

let watched: ReturnType<typeof monitorEventLoopDelay> | undefined;

const ANSWERS: { [Each in Question]: () => Answers[Each] } = {
  memory: () => process.memoryUsage(),
  watch: () => {
    watched = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    watched.enable();
    return true;
  },
  delays: () => {
    if (!watched) throw new Error('Nothing is being watched');
    watched.disable();
    const delay = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS);
    return {
      p50: delay(watched.percentile(50)),
      p99: delay(watched.percentile(99)),
      max: delay(watched.max),
      ticks: watched.count,
    };
  },
};

/** In the service's process: answers until whoever asks is gone. */
export function answerQuestions(): void {
  process.on('message', (question: Question) => process.send?.(ANSWERS[question]()));
}
