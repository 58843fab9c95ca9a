/** What the benchmarks share: a service of their own, runs in its database, medians. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, release } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answers, Question } from './questions.ts';
import type { Run } from './runs.ts';

export interface BenchService {
  url: string;
  pid: number;
  /** Asks the service's process; one question at a time. */
  ask<Asked extends Question>(question: Asked): Promise<Answers[Asked]>;
  stop(): Promise<void>;
}

/**
 * Starts a service in its own process, with some techniques switched off.
 *
 * @param settings environment variables, beside those of this process
 */
export async function startBenchService(
  directory: string,
  off: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchService> {
  const script = fileURLToPath(new URL('./service.ts', import.meta.url));
  const env = {
    ...process.env,
    ...settings,
    TELEMETRY_BASE_DIR: directory,
    TELEMETRY_API_HOST: '127.0.0.1',
    TELEMETRY_API_PORT: '0',
  };
  const child: ChildProcess = spawn(process.execPath, [script, ...off], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => ['{}'])])) as [string];
  const { url } = JSON.parse(line) as { url?: string };
  if (url === undefined) throw new Error('The service ended before it listened');
  return {
    url,
    pid: Number(child.pid),
    ask: async <Asked extends Question>(question: Asked) => {
      const answered = once(child, 'message');
      child.send(question);
      const ended = exited.then(() => Promise.reject(new Error('The service ended before it answered')));
      return ((await Promise.race([answered, ended])) as [Answers[Asked]])[0];
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Runs a request while a database is filled. */
const FILLED_AT_ONCE = 1_000;

/**
 * Stores `rows` runs over HTTP, one batch after the other, in order.
 *
 * @param make the run of an index, from 0 on
 * @throws Error where a run was not stored
 */
export async function fill(url: string, rows: number, make: (index: number) => Run): Promise<void> {
  let before = Promise.resolve();
  for (let from = 0; from < rows; from += FILLED_AT_ONCE) {
    // Made while the one before is stored.
    const length = Math.min(FILLED_AT_ONCE, rows - from);
    const body = JSON.stringify(Array.from({ length }, (_, index) => make(from + index)));
    await before;
    before = postBatch(url, body, length);
  }
  await before;
}

async function postBatch(url: string, body: string, runs: number): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${url}/api/v1/runs/batch`, { method: 'POST', headers, body });
  const text = await answer.text();
  const { inserted } = (answer.ok ? JSON.parse(text) : {}) as { inserted?: number };
  if (inserted !== runs) throw new Error(`A batch of ${runs} was answered ${answer.status}: ${text.slice(0, 500)}`);
}

/** The value below which the given share of the values lies; NaN where there is none. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const median = (values: ArrayLike<number>): number => percentile(values, 0.5);

/** The machine the figures come from. */
export const machineLine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
