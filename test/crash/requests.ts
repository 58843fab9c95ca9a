/** Makes up requests, and says what their answers must be. */
import { type Fields, type Ledger, newRuns, type Run, type Sent } from './ledger.ts';
import type { Random } from './random.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** Fields in which a stored run is compared with what was acknowledged. */
export const COMPARED = [
  'event_id',
  'run_id',
  'agent_name',
  'job_type',
  'created_at',
  'start_time',
  'status',
  'items_succeeded',
  'duration_ms',
  'output_summary',
  'error_summary',
  'metrics_json',
  'git_commit_hash',
  'git_commit_source',
] as const;

export function aNewRun(random: Random, eventId: string): Run {
  const hour = String(random.between(0, 23)).padStart(2, '0');
  return {
    event_id: eventId,
    run_id: `run-of-${eventId}`,
    agent_name: `agent-${random.between(1, 4)}`,
    job_type: random.pick(['translate', 'review', 'publish']),
    created_at: `2026-01-10T${hour}:00:00.000000+00:00`,
    start_time: `2026-01-10T${hour}:00:00.000000+00:00`,
    status: random.pick(['running', 'success', 'failure']),
    items_succeeded: random.between(0, 1_000),
    duration_ms: random.between(0, 100_000),
    output_summary: 'x'.repeat(random.between(1, 400)),
    error_summary: null,
    metrics_json: JSON.stringify({ step: random.between(0, 99) }),
    git_commit_hash: null,
    git_commit_source: null,
  };
}

export function createOf(run: Run): Sent {
  return { method: 'POST', path: '/api/v1/runs', body: asJson(run), creates: [run], invalid: 0 };
}

/** @param invalid items that no service can store, put among the runs */
export function batchOf(runs: Run[], invalid: unknown[]): Sent {
  const body = [...runs.map(asJson), ...invalid].toSorted((a, b) => weight(a) - weight(b));
  return { method: 'POST', path: '/api/v1/runs/batch', body, creates: runs, invalid: invalid.length };
}

export function patchOf(random: Random, eventId: string): Sent {
  const fields: Fields = {
    status: random.pick(['success', 'failure', 'partial', 'timeout', 'cancelled']),
    items_succeeded: random.between(0, 1_000),
    error_summary: `attempt ${random.next()}`,
  };
  if (random.chance(0.5)) delete fields.items_succeeded;
  const path = `/api/v1/runs/${eventId}`;
  return { method: 'PATCH', path, body: fields, creates: [], invalid: 0, change: { eventId, fields } };
}

export function associateOf(random: Random, eventId: string): Sent {
  const hash = random.between(0x1000000, 0xfffffff).toString(16);
  const fields = { git_commit_hash: hash, git_commit_source: 'ci' };
  const path = `/api/v1/runs/${eventId}/associate-commit`;
  const body = { commit_hash: hash, commit_source: 'ci' };
  return { method: 'POST', path, body, creates: [], invalid: 0, change: { eventId, fields } };
}

export function readOf(eventId: string): Sent {
  return { method: 'GET', path: `/api/v1/runs/${eventId}`, creates: [], invalid: 0 };
}

/** @returns what is wrong with an answer; to be asked before the ledger notes it */
export function complaint(sent: Sent, { status, body }: Answer, ledger: Ledger): string | undefined {
  const said = `${sent.method} ${sent.path} answered ${status} ${JSON.stringify(body).slice(0, 300)}`;
  const fresh = newRuns(ledger, sent.creates);
  if (sent.change || sent.method === 'GET') return status === 200 ? undefined : said;
  if (Array.isArray(sent.body)) {
    const { inserted, duplicates, errors, total } = body;
    const wanted = [200, fresh, sent.creates.length - fresh, sent.invalid, sent.body.length].join();
    const got = [status, inserted, duplicates, (errors as unknown[] | undefined)?.length, total].join();
    return got === wanted ? undefined : `${said}, not [status, inserted, duplicates, errors, total] = ${wanted}`;
  }
  const right =
    fresh === 1 ? status === 201 && body.status === 'created' : status === 200 && body.status === 'duplicate';
  return right ? undefined : `${said}, though the run was ${fresh === 1 ? 'new' : 'known'}`;
}

function asJson(run: Run): Record<string, unknown> {
  return { ...run, metrics_json: JSON.parse(String(run.metrics_json)) as unknown };
}

/** Mixes a batch without a die, so that sending it again gives the same order. */
function weight(item: unknown): number {
  return JSON.stringify(item).length % 7;
}
