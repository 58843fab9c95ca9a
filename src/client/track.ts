/** A run in the agent's hands: what trackRun gives to the work, and what `currentRun` finds. */
import type { CommitDetails, CommitResult, CommitSource } from './commit.ts';
import type { RunFields, RunMetrics, RunStatus } from './types.ts';

/** What a handle asks of its client. */
interface Client {
  logEvent(runId: string, eventType: string, payload?: unknown): void;
  setMetrics(runId: string, metrics: RunMetrics): void;
  endRun(runId: string, status?: RunStatus, fields?: RunFields): void;
  associateCommit(runId: string, hash: string, source?: CommitSource, details?: CommitDetails): Promise<CommitResult>;
}

export class RunHandle {
  readonly runId: string;
  readonly #client: Client;
  #ended = false;

  constructor(client: Client, runId: string) {
    this.#client = client;
    this.runId = runId;
  }

  /** Whether `end` was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Records an event of this run, in the NDJSON backup only. */
  logEvent(eventType: string, payload?: unknown): void {
    this.#client.logEvent(this.runId, eventType, payload);
  }

  /** Sets counters, summaries and the like; unknown keys are ignored, with a warning. */
  setMetrics(metrics: RunMetrics): void {
    this.#client.setMetrics(this.runId, metrics);
  }

  /** Ends the run with a status of its own; trackRun then ends it no more. */
  end(status: RunStatus = 'success', fields?: RunFields): void {
    this.#ended = true;
    this.#client.endRun(this.runId, status, fields);
  }

  /** Notes the commit that came out of this run. */
  associateCommit(hash: string, source: CommitSource = 'manual', details?: CommitDetails): Promise<CommitResult> {
    return this.#client.associateCommit(this.runId, hash, source, details);
  }
}

/** The end of a run whose work threw: "Name: message", and the stack. */
export function failureOf(error: unknown): RunFields {
  try {
    if (!(error instanceof Error)) return { error_summary: `Error: ${String(error)}` };
    return { error_summary: `${String(error.name)}: ${String(error.message)}`, error_details: error.stack };
  } catch {
    return { error_summary: 'Error: what was thrown cannot be shown' };
  }
}
