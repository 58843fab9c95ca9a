/** Runs that were never ended, because their process died: marked as cancelled, over the service's API. */
import { timestampOf } from '../run.ts';
import { reasonOf } from './guard.ts';
import { runPath } from './requests.ts';
import type { Transport } from './transport.ts';

export interface StaleRunsOptions {
  /** Only runs of this agent. */
  agentName: string;
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

const PAGE = 1_000;
const MAX_PAGES = 1_000;
const MAX_ERRORS = 10;

interface StaleRun {
  event_id: string;
  run_id: string;
  created_at: string;
}

/**
 * @param isActive whether a run is still being worked on by this very process
 * @returns what was done; a run that completes after all still becomes what it completed as
 */
export async function cleanupStaleRuns(
  transport: Transport,
  options: StaleRunsOptions,
  isActive: (runId: string) => boolean,
): Promise<StaleRunsResult> {
  const { agentName, olderThanMs } = options ?? {};
  const result: StaleRunsResult = { ok: false, found: 0, cancelled: 0, failed: 0, errors: [] };
  const wrong = objection(agentName, olderThanMs);
  if (wrong !== undefined) return { ...result, errors: [wrong] };
  const before = timestampOf(Date.now() - olderThanMs);
  // Cancelled runs leave the list; those that stay in it are skipped by the offset.
  let active = 0;
  for (let page = 0; page < MAX_PAGES && result.errors.length < MAX_ERRORS; page++) {
    const query = new URLSearchParams({ agent_name: agentName, status: 'running', created_before: before });
    const path = `/api/v1/runs?${query.toString()}&limit=${PAGE}&offset=${active + result.failed}`;
    const runs = await listed(transport, path, result);
    for (const run of runs) {
      if (isActive(run.run_id)) active++;
      else await cancel(transport, run, result);
    }
    if (runs.length < PAGE) break;
  }
  return { ...result, ok: result.errors.length === 0 };
}

function objection(agentName: unknown, olderThanMs: unknown): string | undefined {
  if (typeof agentName !== 'string' || agentName === '') return 'agentName must name the agent whose runs are meant';
  const usable = typeof olderThanMs === 'number' && olderThanMs >= 0 && olderThanMs <= Date.now();
  return usable ? undefined : 'olderThanMs must be a number of milliseconds, 0 or more';
}

async function listed(transport: Transport, path: string, result: StaleRunsResult): Promise<StaleRun[]> {
  try {
    const { status, body } = await transport.request('GET', path);
    if (status === 200 && Array.isArray(body)) return body as StaleRun[];
    result.errors.push(`The list of running runs could not be read: the service answered ${status}`);
  } catch (error) {
    result.errors.push(`The list of running runs could not be read: ${reasonOf(error)}`);
  }
  return [];
}

async function cancel(transport: Transport, run: StaleRun, result: StaleRunsResult): Promise<void> {
  if (result.errors.length >= MAX_ERRORS) return;
  result.found++;
  const patch = {
    status: 'cancelled',
    end_time: timestampOf(Date.now()),
    error_summary: `Stale run cleaned up (created at ${run.created_at})`,
    output_summary: 'The process did not complete the run; it was marked as cancelled',
  };
  try {
    const { status } = await transport.request('PATCH', runPath(run.event_id), JSON.stringify(patch));
    if (status !== 200) throw new Error(`the service answered ${status}`);
    result.cancelled++;
  } catch (error) {
    result.failed++;
    result.errors.push(`${run.run_id}: ${reasonOf(error)}`);
  }
}
