/** What the writer's handle has seen, for /metrics and /readyz. Pure. */
import { type Distribution, DURATIONS, Histogram } from '../../histogram.ts';
import { Mended } from '../../run/mended.ts';
import type { Committed } from '../protocol.ts';

/** Commands in a group; 5,000 are the most. */
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/** How long a group's commit took, why it failed as a whole, and what it mended. */
export type Last = Pick<Committed, 'timing' | 'failure' | 'mended'>;
export const NOTHING: Last = { timing: null, failure: null, mended: {} };

export class WriterFigures {
  readonly #wait = new Histogram(DURATIONS);
  readonly #groups = new Histogram(SIZES);
  readonly #commit = new Histogram(DURATIONS);
  readonly #gate = new Histogram(DURATIONS);
  /** Commands refused because the mailbox was full. */
  refused = 0;
  /** Groups that failed as a whole, by no fault of theirs. */
  failures = 0;
  /** Values that were mended before they were stored. */
  readonly mended = new Mended();
  /** Times the thread died. */
  deaths = 0;
  /** Why the last group failed as a whole, and when; undefined where it did not. */
  trouble: { reason: string; at: number } | undefined;

  /** Seconds from a command's arrival until its group began. */
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

  /**
   * A group has come back.
   *
   * @param arrivals when its commands came, on the clock of `at`, in milliseconds
   */
  committed(
    { took, timing, failure, mended }: Committed,
    arrivals: readonly { since: number }[],
    at: number,
    now = Date.now(),
  ): void {
    this.#groups.observe(arrivals.length);
    this.mended.add(mended);
    // What joined a group that was under way did not wait at all.
    for (const { since } of arrivals) this.#wait.observe(Math.max(0, at - took - since) / 1_000);
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
