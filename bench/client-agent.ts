/**
 * The agent of bench/client.ts: makes runs, times each call by itself, and is done. Argument: runs.
 * TELEMETRY_BASE_DIR and TELEMETRY_API_URL say where.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TelemetryClient } from '../src/client/index.ts';
import type { AgentReport, CallFigures } from './client-report.ts';
import { percentile } from './support.ts';

const runs = Number(process.argv[2] ?? 10_000);
const base = String(process.env.TELEMETRY_BASE_DIR);

const CALLS = ['startRun', 'logEvent', 'endRun', 'nothing', 'write'] as const;
const times = Object.fromEntries(CALLS.map((name) => [name, new Float64Array(runs)]));

function timed<T>(name: (typeof CALLS)[number], index: number, call: () => T): T {
  const started = performance.now();
  const result = call();
  (times[name] as Float64Array)[index] = (performance.now() - started) * 1_000;
  return result;
}

/** What the client wrote for its first run, as bytes: the bare write beside it writes the same. */
function firstLine(): string {
  const raw = join(base, 'raw');
  const [name] = readdirSync(raw);
  return `${readFileSync(join(raw, String(name)), 'utf8').split('\n')[0]}\n`;
}

const telemetry = new TelemetryClient();
let line = '';
let descriptor = -1;
for (let index = 0; index < runs; index++) {
  const runId = timed('startRun', index, () =>
    telemetry.startRun('bench-agent', 'translate_posts', { product: 'slides', items_discovered: 3 }),
  );
  timed('logEvent', index, () => telemetry.logEvent(runId, 'checkpoint', { step: index, of: runs }));
  timed('endRun', index, () =>
    telemetry.endRun(runId, 'success', { items_succeeded: 3, output_summary: 'Translated three posts' }),
  );
  if (index === 0) {
    line = firstLine();
    descriptor = openSync(join(base, 'bare-write'), 'a');
  }
  timed('nothing', index, () => undefined);
  timed('write', index, () => writeSync(descriptor, line));
  // So that sending happens in between, as it does in an agent that awaits something.
  await new Promise(setImmediate);
}
closeSync(descriptor);
const endedAt = performance.timeOrigin + performance.now();

// The client's figures are taken when the process would be gone: at the end that comes after the client's own.
let ends = 0;
process.on('beforeExit', () => {
  if (++ends === 1) setImmediate(() => undefined);
  else if (ends === 2) void report();
});

async function report(): Promise<void> {
  const askedAt = performance.now();
  const { delivery, warnings } = await telemetry.getStats();
  const figures = Object.fromEntries(CALLS.map((name) => [name, figuresOf(times[name] as Float64Array)]));
  const told: AgentReport = { endedAt, statsMs: 0, figures, delivery, warnings };
  told.statsMs = performance.now() - askedAt;
  writeSync(1, `${JSON.stringify(told)}\n`);
}

function figuresOf(values: Float64Array): CallFigures {
  const list = [...values];
  return { first: list[0] ?? NaN, p50: percentile(list, 0.5), p99: percentile(list, 0.99), max: Math.max(...list) };
}
