/** Runs for a service that is scraped: a past, out of a file or made up, and agents at work. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { aRun, requester, type Service } from '../support/service.ts';

const REAL = fileURLToPath(new URL('../../../shared/data/agent-runs.ndjson.gz', import.meta.url));
const PAST_RUNS = 3_000;
const BATCH = 500;
const DAY_MS = 86_400_000;
const STEP_MS = 250;
const STATUSES = ['success', 'success', 'success', 'failure', 'timeout'];

type Run = Record<string, unknown>;

/** Real runs where they are at hand, else as many made-up ones of the last two years. */
export function pastRuns(): { runs: Run[]; from: string } {
  if (existsSync(REAL)) {
    const lines = gunzipSync(readFileSync(REAL)).toString('utf8').split('\n', PAST_RUNS).filter(Boolean);
    return { runs: lines.map((line) => JSON.parse(line) as Run), from: 'real' };
  }
  const runs = Array.from({ length: PAST_RUNS }, (_, index) =>
    aRun({
      agent_name: `agent-${index % 7}`,
      job_type: `job-${index % 3}`,
      status: STATUSES[index % 5],
      created_at: new Date(Date.now() - (1 + (index * 730) / PAST_RUNS) * DAY_MS).toISOString(),
    }),
  );
  return { runs, from: 'made-up' };
}

/** The age in days that half of the runs are beyond. */
export function medianAge(runs: readonly Run[]): number {
  const times = runs.map(({ created_at }) => Date.parse(String(created_at))).sort((a, b) => a - b);
  return Math.floor((Date.now() - (times[times.length >> 1] ?? 0)) / DAY_MS);
}

/** Agents at work at a service that wants a token. */
export class Traffic {
  readonly #request: Service['request'];
  readonly #headers: Record<string, string>;
  #running: string[] = [];

  constructor(port: number, token: string) {
    this.#request = requester(`http://127.0.0.1:${port}`);
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  async #expect(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#request(method, path, body, this.#headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Sends runs as they are, in batches. */
  async send(runs: readonly Run[]): Promise<void> {
    for (let from = 0; from < runs.length; from += BATCH)
      await this.#expect('POST', '/api/v1/runs/batch', runs.slice(from, from + BATCH));
  }

  /** Begins and ends runs, and lists them, for so long. */
  async work(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      await this.send(STATUSES.map((status, index) => aRun({ agent_name: `worker-${index % 3}`, status })));
      for (const event_id of this.#running.splice(0, 2))
        await this.#expect('PATCH', `/api/v1/runs/${event_id}`, { status: 'success' });
      const begun = [aRun({ status: 'running' }), aRun({ status: 'running' }), aRun({ status: 'running' })];
      await this.send(begun);
      this.#running.push(...begun.map(({ event_id }) => event_id));
      await this.#expect('GET', '/api/v1/runs?status=failure&limit=10');
      await pause(STEP_MS);
    }
  }
}

/** What a client that is gone left: a run, and a line that can never be one. */
export function leaveInSpool(directory: string): void {
  const lines = [JSON.stringify(aRun({ agent_name: 'gone' })), '{"event_id": 1}'];
  writeFileSync(join(directory, `telemetry_20260110_${randomUUID()}.jsonl.ready`), `${lines.join('\n')}\n`);
}
