/** How long the main thread keeps its events waiting, in windows of 30 s. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const WINDOW_MS = 30_000;
/** It looks this often, and what it measures includes it. More often would keep an idle processor awake. */
const RESOLUTION_MS = 50;
const NANOSECONDS = 1e9;

/** In seconds. */
export interface Delays {
  p50: number;
  p99: number;
  max: number;
}

export class LoopDelay implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #last: Delays | undefined;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#turn(), WINDOW_MS);
    this.#timer.unref();
  }

  /** Of the last complete window; of the first while there is none. */
  get delays(): Delays {
    return this.#last ?? this.#read();
  }

  #turn(): void {
    this.#last = this.#read();
    this.#histogram.reset();
  }

  #read(): Delays {
    if (this.#histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000);
    return {
      p50: seconds(this.#histogram.percentile(50)),
      p99: seconds(this.#histogram.percentile(99)),
      max: seconds(this.#histogram.max),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }
}
