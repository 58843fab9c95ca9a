/** What the writer's handle has seen, for /metrics and /readyz. Pure. */
import { type Distribution, DURATIONS, Histogram } from '../../histogram.ts';
import type { Committed } from '../protocol.ts';

/** Commands in a group; 5,000 are the most. */
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

export class WriterFigures {
  readonly #wait = new Histogram(DURATIONS);
  readonly #groups = new Histogram(SIZES);
  readonly #commit = new Histogram(DURATIONS);
  readonly #gate = new Histogram(DURATIONS);
  /** Commands refused because the mailbox was full. */
  refused = 0;
  /** Groups that failed as a whole, by no fault of theirs. */
  failures = 0;
  /** Times the thread died. */
  deaths = 0;
  /** Why the last group failed as a whole, and when; undefined where it did not. */
  trouble: { reason: string; at: number } | undefined;

  /** Seconds from a command's arrival until its group was taken. */
  get wait(): Distribution {
    return this.#wait;
  }

  /** Commands a group. */
  get groups(): Distribution {
    return this.#groups;
  }

  /** Seconds of COMMIT and the sync of the folder. */
  get commit(): Distribution {
    return this.#commit;
  }

  /** Seconds that the readers in the gate took to leave it. */
  get gate(): Distribution {
    return this.#gate;
  }

  /** A group was taken. @param arrivals when its commands came, on the clock of `now`, in milliseconds */
  took(arrivals: readonly { since: number }[], now: number): void {
    this.#groups.observe(arrivals.length);
    for (const { since } of arrivals) this.#wait.observe((now - since) / 1_000);
  }

  committed({ timing, failure }: Pick<Committed, 'timing' | 'failure'>, now = Date.now()): void {
    if (failure === null) this.trouble = undefined;
    else this.failed(failure, now);
    if (!timing) return;
    this.#commit.observe(timing.commit / 1_000);
    this.#gate.observe(timing.gate / 1_000);
  }

  /** The thread died. @param waited whether commands were lost with it */
  died(waited: boolean, now = Date.now()): void {
    this.deaths++;
    if (waited) this.failed('The writer thread died.', now);
  }

  failed(reason: string, now = Date.now()): void {
    this.failures++;
    this.trouble = { reason, at: now };
  }
}
