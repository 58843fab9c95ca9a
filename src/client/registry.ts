/** The runs of this client: those that are active, and the last that ended. Bounded. */
import type { TrackedRun } from './record.ts';

/** Beyond, the oldest can no longer be ended through this client. */
const MAX_ACTIVE = 50_000;
/** Ended runs that may still be given their commit without asking the service; and their characters together. */
const MAX_ENDED = 1_000;
const MAX_ENDED_TEXT = 4 * 1024 * 1024;

export class RunRegistry {
  readonly #active = new Map<string, TrackedRun>();
  readonly #ended = new Map<string, TrackedRun>();
  readonly #sizes = new Map<string, number>();
  #endedText = 0;

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
    if (this.#active.size <= MAX_ACTIVE) return false;
    this.#active.delete(oldestOf(this.#active) as string);
    return true;
  }

  end(run: TrackedRun): void {
    this.#active.delete(run.runId);
    this.#drop(run.runId);
    this.#ended.set(run.runId, run);
    this.#endedText += run.size;
    this.#sizes.set(run.runId, run.size);
    while (this.#ended.size > MAX_ENDED || this.#endedText > MAX_ENDED_TEXT)
      this.#drop(oldestOf(this.#ended) as string);
  }

  #drop(runId: string): void {
    const run = this.#ended.get(runId);
    if (run) this.#endedText -= this.#sizes.get(runId) ?? 0;
    this.#sizes.delete(runId);
    this.#ended.delete(runId);
  }
}

const oldestOf = (runs: Map<string, TrackedRun>): string | undefined => runs.keys().next().value;
