/**
 * The client that agents use. Nothing here throws, rejects or waits for the service: `startRun`,
 * `logEvent`, `setMetrics` and `endRun` write to local files and return within microseconds.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { canonicalStatus, isJsonObject, timestampOf } from '../run.ts';
import { now } from './clock.ts';
import {
  associateElsewhere,
  type CommitDetails,
  commitFields,
  type CommitResult,
  type CommitSource,
} from './commit.ts';
import type { ClientConfig, ClientOptions } from './config.ts';
import { holding, within } from './exit.ts';
import { readable, textOf } from './fields.ts';
import type { Guard } from './guard.ts';
import { plain } from './plain.ts';
import { prepare } from './prepare.ts';
import { applyMetrics, endRun, startRun, type TrackedRun } from './record.ts';
import { addGit, type Delivery, Recorder } from './recorder.ts';
import { RunRegistry } from './registry.ts';
import { errorRunId, type RunIdMetrics, RunIds } from './run-ids.ts';
import { cleanupStaleRuns, type StaleRunsOptions, type StaleRunsResult } from './stale.ts';
import { failureOf, RunHandle } from './track.ts';
import type { Transport } from './transport.ts';
import type { RunFields, RunMetrics, RunStatus, StartFields } from './types.ts';

export interface ClientStats {
  /** What the service's /metrics say; null where it cannot be asked. */
  service: Record<string, unknown> | null;
  runs: { active: number; started: number; ended: number };
  delivery: Delivery;
  run_ids: RunIdMetrics;
  /** How often each kind of warning came up. */
  warnings: Record<string, number>;
}

type Work<T> = (run: RunHandle) => T | Promise<T>;

const FLUSH_MS = 5_000;
const CLOSE_MS = 2_000;
const STATS_MS = 2_000;

export class TelemetryClient implements AsyncDisposable {
  readonly #guard: Guard;
  readonly #config: ClientConfig;
  readonly #transport: Transport;
  readonly #recorder: Recorder;
  readonly #runs = new RunRegistry();
  readonly #runIds = new RunIds();
  readonly #ambient = new AsyncLocalStorage<RunHandle>();
  readonly #counts = { started: 0, ended: 0 };

  /** Touches neither files nor network; both come with the first run. */
  constructor(options: ClientOptions = {}) {
    const { guard, config, transport } = prepare(options);
    this.#guard = guard;
    this.#config = config;
    this.#transport = transport;
    this.#recorder = new Recorder(config, guard, transport);
  }

  /**
   * Starts a run, as a child of the ambient one where there is one.
   *
   * @returns its run_id; `error-…` where not even that could be done
   */
  startRun(agentName: string, jobType: string, fields?: StartFields): string {
    const start = (): string => {
      const custom = readable(fields, 'run_id');
      const runId = this.#runIds.next(custom, textOf(agentName) ?? 'unknown', (id) => this.#runs.isActive(id));
      const { run, problems } = startRun({ runId, agentName, jobType, fields, defaults: this.#defaults() });
      addGit(run.record, this.#recorder.gitNow());
      this.#warnAll('startRun', problems);
      this.#warnOfId(custom, runId);
      if (this.#runs.add(run)) {
        this.#guard.warn('active', 'too many runs are active; the oldest can no longer be ended through this client');
      }
      this.#counts.started++;
      this.#recorder.record(run, []);
      return runId;
    };
    return this.#guard.attempt('startRun', start, errorRunId);
  }

  /** Records an event of a run in the NDJSON backup; events go nowhere else. */
  logEvent(runId: string, eventType: string, payload?: unknown): void {
    const log = (): void =>
      this.#recorder.event({
        run_id: textOf(runId) ?? 'unknown',
        event_type: textOf(eventType) ?? 'unknown',
        timestamp: timestampOf(now()),
        payload_json: plain(payload) ?? null,
      });
    this.#guard.attempt('logEvent', log, () => undefined);
  }

  /** Sets counters, summaries and the like while the run goes on; unknown keys are ignored, with a warning. */
  setMetrics(runId: string, metrics: RunMetrics): void {
    this.#guard.attempt(
      'setMetrics',
      () => this.#change('setMetrics', runId, (run) => applyMetrics(run, metrics)),
      () => false,
    );
  }

  /**
   * Ends a run; end_time and duration_ms are measured. Ending it once more corrects it.
   *
   * @param status success, failure, partial, timeout, cancelled or an alias; anything else is recorded as failure
   */
  endRun(runId: string, status: RunStatus = 'success', fields?: RunFields): void {
    const end = (): void => {
      const known = typeof status === 'string' ? canonicalStatus(status) : undefined;
      const final = known === 'running' ? undefined : known;
      if (final === undefined) {
        this.#guard.warn(
          'status',
          `endRun: "${textOf(status)}" is no status of an end (success, failure, partial, timeout, cancelled); failure is recorded`,
        );
      }
      const first = this.#runs.isActive(runId);
      if (!this.#change('endRun', runId, (run) => endRun(run, final ?? 'failure', fields)) || !first) return;
      const run = this.#runs.find(runId) as TrackedRun;
      this.#counts.ended++;
      this.#runs.end(run);
      this.#recorder.exportRun(run);
    };
    this.#guard.attempt('endRun', end, () => undefined);
  }

  /**
   * Runs `work` as a run: success when it returns, failure with the error when it throws. What runs
   * are started within it, however deep, are its children.
   *
   * @returns what `work` returns @throws what `work` throws, and nothing else
   */
  async trackRun<T>(agentName: string, jobType: string, work: Work<T>): Promise<T>;
  async trackRun<T>(agentName: string, jobType: string, fields: StartFields, work: Work<T>): Promise<T>;
  async trackRun<T>(agentName: string, jobType: string, ...rest: [Work<T>] | [StartFields, Work<T>]): Promise<T> {
    const [fields, work] = typeof rest[0] === 'function' ? [undefined, rest[0]] : [rest[0], rest[1]];
    if (typeof work !== 'function') {
      this.#guard.warn('trackRun', 'trackRun was given no function to run');
      return undefined as T;
    }
    const run = new RunHandle(this, this.startRun(agentName, jobType, fields));
    let result: T;
    try {
      result = await this.#ambient.run(run, () => work(run));
    } catch (error) {
      if (!run.ended) run.end('failure', failureOf(error));
      throw error;
    }
    if (!run.ended) run.end('success');
    return result;
  }

  /** The run of the trackRun we are in; undefined outside of any. */
  currentRun(): RunHandle | undefined {
    return this.#ambient.getStore();
  }

  /** Notes the commit that came out of a run, also after it has ended; waits for the service for 2 s at most. */
  async associateCommit(
    runId: string,
    hash: string,
    source: CommitSource = 'manual',
    details?: CommitDetails,
  ): Promise<CommitResult> {
    const failed = (): CommitResult => ({ ok: false, message: 'The service could not be asked for the run' });
    const associate = async (): Promise<CommitResult> => {
      const fields = commitFields(hash, source, details);
      if (typeof fields === 'string') return { ok: false, message: fields };
      if (this.#runs.find(runId)) {
        this.#change('associateCommit', runId, (run) => applyMetrics(run, fields));
        const stored = await this.#recorder.flush(CLOSE_MS, false);
        return { ok: true, message: stored ? 'The commit is stored' : 'The commit is recorded, and waits on disk' };
      }
      if (this.#config.mock) return { ok: false, message: `No run ${textOf(runId)} is known here` };
      return within(CLOSE_MS, associateElsewhere(this.#transport, String(runId), fields), failed());
    };
    return this.#guard.attemptAsync('associateCommit', associate, failed);
  }

  /** Marks runs of an agent that never ended as cancelled; this client's own active runs are left alone. */
  async cleanupStaleRuns(options: StaleRunsOptions): Promise<StaleRunsResult> {
    const failed = (why: string): StaleRunsResult => ({ ok: false, found: 0, cancelled: 0, failed: 0, errors: [why] });
    if (this.#config.mock) return failed('TELEMETRY_TEST_MODE=mock touches no network');
    const clean = (): Promise<StaleRunsResult> =>
      cleanupStaleRuns(this.#transport, options, (runId) => this.#runs.isActive(runId));
    return this.#guard.attemptAsync(
      'cleanupStaleRuns',
      () => holding(clean),
      () => failed('options could not be read'),
    );
  }

  /** What the service counts, and what this client has done; the service has 2 s to answer. */
  async getStats(): Promise<ClientStats> {
    const ask = async (): Promise<ClientStats['service']> => {
      const { status, body } = await this.#transport.request('GET', '/metrics');
      return status === 200 && isJsonObject(body) ? body : null;
    };
    const service = this.#config.mock ? null : await within(STATS_MS, ask(), null).catch(() => null);
    return {
      service,
      runs: { active: this.#runs.activeCount, ...this.#counts },
      delivery: this.#recorder.delivery,
      run_ids: this.#runIds.metrics,
      warnings: this.#guard.counts(),
    };
  }

  /** How run ids came about. */
  getRunIdMetrics(): RunIdMetrics {
    return this.#runIds.metrics;
  }

  /** Waits until all is delivered, at most so many milliseconds. @returns whether it is; what is not waits on disk */
  async flush(timeoutMs: number = FLUSH_MS): Promise<boolean> {
    const limit = Number.isFinite(timeoutMs) && timeoutMs >= 0 ? timeoutMs : FLUSH_MS;
    return this.#guard.attemptAsync(
      'flush',
      () => this.#recorder.flush(limit, true),
      () => false,
    );
  }

  /** Delivers what the service takes now, and lets go of files and connections. What is recorded later takes them up again. */
  async close(): Promise<void> {
    await this.#guard.attemptAsync(
      'close',
      () => this.#recorder.close(CLOSE_MS),
      () => undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #defaults(): Record<string, unknown> {
    return {
      trigger_type: 'cli',
      host: this.#config.host,
      agent_owner: textOf(this.#config.agentOwner),
      parent_run_id: this.currentRun()?.runId,
    };
  }

  /** @returns whether there is such a run here */
  #change(
    call: string,
    runId: string,
    change: (run: TrackedRun) => { changes: string[]; problems: string[] },
  ): boolean {
    const run = this.#runs.find(runId);
    if (!run) {
      this.#guard.warn(`${call} unknown`, `${call}: no run ${textOf(runId)} is known here; it is ignored`);
      return false;
    }
    const { changes, problems } = change(run);
    this.#warnAll(call, problems);
    if (changes.length > 0) this.#recorder.record(run, changes);
    return true;
  }

  #warnAll(call: string, problems: readonly string[]): void {
    for (const problem of problems) this.#guard.warn(`${call} ${problem}`, `${call}: ${problem}`);
  }

  #warnOfId(custom: unknown, runId: string): void {
    if (custom === undefined || custom === null || custom === runId) return;
    const why = 'it is empty, too long, has / \\ or NUL in it, or is that of an active run';
    this.#guard.warn('run_id', `startRun: the run_id ${textOf(custom)} cannot be taken (${why}); ${runId} is used`);
  }
}
