/** When a long work of many small steps lets others have a turn, and says how far it is. */
export interface Progress {
  phase: 'check' | 'copy' | 'index' | 'count' | 'verify';
  /** Rows, or steps where a phase has no rows. */
  done: number;
  total: number;
}

const TURN_MS = 100;
/** Steps between two looks at the clock. */
const STRIDE = 32;

export class Pace {
  readonly #phase: Progress['phase'];
  readonly #total: number;
  #done = 0;
  #turn = performance.now();

  constructor(phase: Progress['phase'], total: number) {
    this.#phase = phase;
    this.#total = total;
  }

  get progress(): Progress {
    return { phase: this.#phase, done: this.#done, total: this.#total };
  }

  /** Counts a step. @returns whether it is time to yield */
  step(): boolean {
    if (++this.#done % STRIDE !== 0) return false;
    const now = performance.now();
    if (now - this.#turn < TURN_MS) return false;
    this.#turn = now;
    return true;
  }
}
