/** Runs that were never ended, because their process died: marked as cancelled, over the service's API. */
import { isJsonObject, timestampOf } from '../run.ts';
import { now } from './clock.ts';
import { reasonOf } from './guard.ts';
import { batchAnswer, MERGE_PATH, runPath, verdictOf } from './requests.ts';
import type { Transport } from './transport.ts';

export interface StaleRunsOptions {
  /** Only runs of this agent; of all agents where it is undefined. */
  agentName?: string | undefined;
  /** Milliseconds since a run was created, after which it counts as stale. */
  olderThanMs: number;
}

export interface StaleRunsResult {
  /** Whether every stale run found is cancelled now. */
  ok: boolean;
  found: number;
  cancelled: number;
  failed: number;
  /** What went wrong, the first ten. */
  errors: string[];
}

/** What a list tells of a run that is needed here; the other fields are there too. */
export interface StaleRun {
  event_id: string;
  run_id: string;
  agent_name: string;
  job_type: string;
  created_at: string;
  start_time: string;
}

/** All that is asked of a transport. */
type Requests = Pick<Transport, 'request'>;

const PAGE = 1_000;
const MAX_PAGES = 1_000;
const MAX_ERRORS = 10;

/**
 * @param isActive whether a run is still being worked on by this very process
 * @param onFound told of runs before they are cancelled
 * @returns what was done; a run that completes after all still becomes what it completed as
 */
export async function cleanupStaleRuns(
  transport: Requests,
  options: StaleRunsOptions,
  isActive: (runId: string) => boolean,
  onFound: (runs: readonly StaleRun[]) => void = () => undefined,
): Promise<StaleRunsResult> {
  const { agentName, olderThanMs } = options ?? {};
  const result: StaleRunsResult = { ok: false, found: 0, cancelled: 0, failed: 0, errors: [] };
  const wrong = objection(agentName, olderThanMs);
  if (wrong !== undefined) return { ...result, errors: [wrong] };
  const created_before = timestampOf(now() - olderThanMs);
  const agent = agentName === undefined ? undefined : { agent_name: agentName };
  const query = new URLSearchParams({ ...agent, status: 'running', created_before }).toString();
  // Cancelled runs leave the list; those that stay in it are skipped by the offset.
  let active = 0;
  let tried = new Set<string>();
  for (let page = 0; page < MAX_PAGES && result.errors.length < MAX_ERRORS; page++) {
    const path = `/api/v1/runs?${query}&limit=${PAGE}&offset=${active + result.failed}`;
    const runs = await listed(transport, path, result);
    const fresh: StaleRun[] = [];
    for (const run of runs) {
      if (isActive(run.run_id)) active++;
      else if (tried.has(run.event_id)) fail(result, `${run.run_id}: the service keeps it running`);
      else fresh.push(run);
    }
    if (fresh.length === 0 && runs.length < PAGE) break;
    onFound(fresh);
    await cancelAll(transport, fresh, result);
    tried = new Set(fresh.map(({ event_id }) => event_id));
  }
  return { ...result, ok: result.errors.length === 0 };
}

function objection(agentName: unknown, olderThanMs: unknown): string | undefined {
  if (agentName !== undefined && (typeof agentName !== 'string' || agentName === '')) {
    return 'agentName must name the agent whose runs are meant';
  }
  const usable = typeof olderThanMs === 'number' && olderThanMs >= 0 && olderThanMs <= now();
  return usable ? undefined : 'olderThanMs must be a number of milliseconds, 0 or more';
}

function fail(result: StaleRunsResult, error: string): void {
  result.failed++;
  result.errors.push(error);
}

/** Nobody else's list is believed: what stands in it is to be cancelled. */
const isRunning = (run: unknown): boolean =>
  isJsonObject(run) && typeof run.event_id === 'string' && typeof run.run_id === 'string' && run.status === 'running';

async function listed(transport: Requests, path: string, result: StaleRunsResult): Promise<StaleRun[]> {
  try {
    const { status, body } = await transport.request('GET', path);
    if (status !== 200) {
      result.errors.push(`The list of running runs could not be read: the service answered ${status}`);
    } else if (Array.isArray(body) && body.every(isRunning)) return body as StaleRun[];
    else throw new Error('what answers there is no telemetry service');
  } catch (error) {
    result.errors.push(`The list of running runs could not be read: ${reasonOf(error)}`);
  }
  return [];
}

/**
 * By merging: since it was listed a run may have completed, and `cancelled` never wins over that. A PATCH would; it is for
 * services that do not merge.
 */
async function cancelAll(transport: Requests, runs: readonly StaleRun[], result: StaleRunsResult): Promise<void> {
  if (runs.length === 0) return;
  result.found += runs.length;
  try {
    const records = runs.map((run) => {
      const { event_id, run_id, agent_name, job_type, created_at, start_time } = run;
      const changes = cancellation(run);
      const updated_at = changes.end_time;
      return { event_id, run_id, agent_name, job_type, created_at, start_time, updated_at, ...changes };
    });
    const said = await transport.request('POST', MERGE_PATH, JSON.stringify(records));
    const answer = batchAnswer(said, runs.length);
    if (answer?.merges) {
      for (const error of answer.errors) fail(result, error);
      result.cancelled += runs.length - answer.duplicates - answer.errors.length;
      return;
    }
    // An older service has ignored what it knew.
    if (!answer) throw new Error(`the service answered ${said.status}`);
  } catch (error) {
    result.failed += runs.length;
    result.errors.push(`${runs.length} runs could not be cancelled: ${reasonOf(error)}`);
    return;
  }
  for (const run of runs) await cancelByPatch(transport, run, result);
}

function cancellation({
  created_at,
}: StaleRun): Record<'status' | 'end_time' | 'error_summary' | 'output_summary', string> {
  return {
    status: 'cancelled',
    end_time: timestampOf(now()),
    error_summary: `Stale run cleaned up (created at ${created_at})`,
    output_summary: 'The process did not complete the run; it was marked as cancelled',
  };
}

async function cancelByPatch(transport: Requests, run: StaleRun, result: StaleRunsResult): Promise<void> {
  if (result.errors.length >= MAX_ERRORS) return;
  try {
    const answer = await transport.request('PATCH', runPath(run.event_id), JSON.stringify(cancellation(run)));
    const verdict = verdictOf(answer, 'update', [run.event_id]);
    if (verdict.kind !== 'stored') throw new Error(`the service answered ${answer.status}`);
    result.cancelled++;
  } catch (error) {
    fail(result, `${run.run_id}: ${reasonOf(error)}`);
  }
}
