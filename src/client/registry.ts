/** The runs of this client: those that are active, and the last that ended. Bounded. */
import type { TrackedRun } from './record.ts';

/** Beyond, the oldest can no longer be ended through this client. */
const MAX_ACTIVE = 50_000;
/** Ended runs that may still be given their commit without asking the service. */
const MAX_ENDED = 1_000;

export class RunRegistry {
  readonly #active = new Map<string, TrackedRun>();
  readonly #ended = new Map<string, TrackedRun>();

  get activeCount(): number {
    return this.#active.size;
  }

  isActive(runId: string): boolean {
    return this.#active.has(runId);
  }

  find(runId: string): TrackedRun | undefined {
    return this.#active.get(runId) ?? this.#ended.get(runId);
  }

  /** @returns whether an older run had to be given up for it */
  add(run: TrackedRun): boolean {
    this.#active.set(run.runId, run);
    return trim(this.#active, MAX_ACTIVE);
  }

  end(run: TrackedRun): void {
    this.#active.delete(run.runId);
    this.#ended.delete(run.runId);
    this.#ended.set(run.runId, run);
    trim(this.#ended, MAX_ENDED);
  }
}

function trim(runs: Map<string, TrackedRun>, most: number): boolean {
  if (runs.size <= most) return false;
  for (const [oldest] of runs) {
    runs.delete(oldest);
    break;
  }
  return true;
}
