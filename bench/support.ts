/** What the benchmarks share: a service of their own, posters that saturate it, medians. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { cpus, release } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BenchService {
  url: string;
  stop(): Promise<void>;
}

/** Starts a service in its own process, with some techniques switched off. */
export async function startBenchService(directory: string, off: readonly string[]): Promise<BenchService> {
  const script = fileURLToPath(new URL('./service.ts', import.meta.url));
  const env = {
    ...process.env,
    TELEMETRY_BASE_DIR: directory,
    TELEMETRY_API_HOST: '127.0.0.1',
    TELEMETRY_API_PORT: '0',
  };
  const child: ChildProcess = spawn(process.execPath, [script, ...off], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => ['{}'])])) as [string];
  const { url } = JSON.parse(line) as { url?: string };
  if (url === undefined) throw new Error('The service ended before it listened');
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** One request over a kept connection. @returns milliseconds until the whole answer was there */
export async function call(url: string, method: string, body?: string): Promise<number> {
  const started = performance.now();
  const outgoing = request(url, { method, agent, headers: { 'Content-Type': 'application/json' } });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  response.resume();
  await once(response, 'end');
  if (response.statusCode >= 300) throw new Error(`${method} ${url} answered ${response.statusCode}`);
  return performance.now() - started;
}

const AGENTS = ['renovate', 'dependabot', 'openhands', 'claude', 'github-actions'];
const STATUSES = ['success', 'success', 'success', 'failure', 'running'];

/** A run shaped like real ones, as JSON text; new at every call. @param at its created_at, ISO 8601 */
export function makeRun(at = new Date().toISOString()): string {
  const id = randomUUID();
  const pick = (list: readonly string[]): string => list[Math.floor(Math.random() * list.length)] ?? '';
  return JSON.stringify({
    event_id: id,
    run_id: `run-${id}`,
    created_at: at,
    start_time: at,
    agent_name: pick(AGENTS),
    job_type: 'chore(deps)',
    status: pick(STATUSES),
    product: 'renovate',
    platform: 'github',
    items_discovered: 3,
    items_succeeded: 3,
    output_summary: 'Update dependency something to version 1.2.3 (#90)',
    git_repo: 'https://github.com/renovatebot/renovate',
    git_branch: 'main',
    git_commit_hash: id.replaceAll('-', ''),
    git_commit_source: 'ci',
    environment: 'public',
    trigger_type: 'scheduler',
    metrics_json: { files_added: 0, files_modified: 1, files_deleted: 0 },
  });
}

export const makeBatch = (size: number): string => `[${Array.from({ length: size }, () => makeRun()).join(',')}]`;

/** The value below which the given share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The machine the figures come from. */
export const machineLine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
