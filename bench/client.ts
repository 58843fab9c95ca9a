/**
 * npm run bench:client -- [calls=10000] [rounds=3]
 *
 * What the client costs the agent, in every state of the service: each call timed by itself, beside
 * an empty function and a bare write of the same line; and how soon the agent's process is gone when
 * its work is done. Rounds are interleaved; the figures are medians of the rounds.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { importTimes } from './client-import.ts';
import type { AgentReport, CallFigures } from './client-report.ts';
import { type Fault, startFaultyService } from './faulty-service.ts';
import { type BenchService, machineLine, median, startBenchService } from './support.ts';

const calls = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 3);
const AGENT = fileURLToPath(new URL('./client-agent.ts', import.meta.url));
const STATES = ['up', 'down', 'hanging', 'slow', '500s', '429s'] as const;
const CALLS = ['startRun', 'logEvent', 'endRun'] as const;
const DRAIN_MS = 60_000;
const POLL_MS = 100;

interface Measured extends AgentReport {
  exitMs: number;
  code: number | null;
  spool: string;
  /** Completed runs in the database, in the end. */
  arrived: number;
}

async function measure(state: 'up' | Fault, directory: string): Promise<Measured> {
  const runs = state === 'up' || state === 'slow';
  const service = runs ? await startBenchService(directory, []) : undefined;
  const faulty = state === 'up' ? undefined : await startFaultyService(state, service?.url ?? '');
  const url = faulty?.url ?? service?.url;
  const env = { PATH: process.env.PATH, TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: url };
  const options = ['--disable-warning=TelemetryWarning', AGENT, String(calls)];
  const agent = spawn(process.execPath, options, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<[number | null, number]>((resolve) =>
    agent.once('exit', (code) => resolve([code, performance.timeOrigin + performance.now()])),
  );
  const report = JSON.parse(await text(agent.stdout)) as AgentReport;
  const [code, goneAt] = await gone;
  const spool = spoolOf(directory);
  faulty?.close();
  const arrived = await drained(service ?? (await startBenchService(directory, [])), directory);
  return { ...report, exitMs: goneAt - report.endedAt - report.statsMs, code, spool, arrived };
}

/** What lies in the spool: files by their state, and lines. */
function spoolOf(directory: string): string {
  const folder = join(directory, 'buffer');
  const names = readdirSync(folder);
  const lines = names.reduce((sum, name) => sum + readFileSync(join(folder, name), 'utf8').split('\n').length - 1, 0);
  const states = Map.groupBy(names, (name) => name.split('.').at(-1));
  return names.length === 0
    ? 'empty'
    : `${[...states].map(([state, { length }]) => `${length} ${state}`).join(', ')}; ${lines} lines`;
}

async function drained(service: BenchService, directory: string): Promise<number> {
  const until = performance.now() + DRAIN_MS;
  const pending = async (): Promise<number> => {
    const metrics = (await (await fetch(`${service.url}/metrics`)).json()) as { spool?: { pending_bytes: number } };
    return metrics.spool?.pending_bytes ?? 0;
  };
  while ((await pending()) > 0 && performance.now() < until) await pause(POLL_MS);
  await service.stop();
  const db = new Database(join(directory, 'db', 'telemetry.sqlite'), { readonly: true });
  try {
    return db.prepare("SELECT count(*) FROM agent_runs WHERE status = 'success'").pluck().get() as number;
  } finally {
    db.close();
  }
}

function show(state: string, measured: readonly Measured[]): void {
  const of = (read: (one: Measured) => number): number => median(measured.map(read));
  const figure = (call: string, key: keyof CallFigures): number => of(({ figures }) => figures[call]?.[key] ?? NaN);
  const columns = (call: string): string =>
    [
      figure(call, 'p50').toFixed(1).padStart(8),
      figure(call, 'p99').toFixed(1).padStart(8),
      figure(call, 'max').toFixed(0).padStart(8),
      figure(call, 'first').toFixed(0).padStart(8),
    ].join('');
  for (const call of CALLS) {
    const ratio = (key: 'p50' | 'p99'): string => (figure(call, key) / figure('write', key)).toFixed(1).padStart(7);
    say(`${state.padEnd(9)}${call.padEnd(10)}${columns(call)}${ratio('p50')}${ratio('p99')}`);
  }
  say(`${''.padEnd(9)}${'write'.padEnd(10)}${columns('write')}`);
  say(`${''.padEnd(9)}${'nothing'.padEnd(10)}${columns('nothing')}`);
  const [last] = measured.slice(-1) as [Measured];
  const { delivered, waiting, lost } = last.delivery;
  const codes = [...new Set(measured.map(({ code }) => code))].join(', ');
  const arrived = Math.min(...measured.map((one) => one.arrived));
  say(
    `${''.padEnd(9)}gone after ${of(({ exitMs }) => exitMs).toFixed(0)} ms with ${codes}; delivered ${delivered}, ` +
      `waiting ${waiting}, lost ${lost}; spool: ${last.spool}; in the end ${arrived} of ${calls} in the database`,
  );
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
try {
  const results = new Map<string, Measured[]>(STATES.map((state) => [state, []]));
  for (let round = 0; round < rounds; round++) {
    for (const state of STATES)
      (results.get(state) as Measured[]).push(await measure(state, join(directory, `${state}-${round}`)));
  }
  say(`${machineLine()}\n${calls} runs a state, ${rounds} rounds, interleaved; µs; medians of the rounds\n`);
  say('service  call           p50     p99     max   first  x write p50, p99');
  for (const [state, measured] of results) show(state, measured);
  say('\nimport                           ms   process ms   (medians of 7)');
  for (const { name, importMs, processMs } of await importTimes(join(directory, 'import'))) {
    say(`${name.padEnd(28)}${importMs.toFixed(1).padStart(8)}${processMs.toFixed(0).padStart(12)}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
