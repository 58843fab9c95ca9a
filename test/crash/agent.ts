/**
 * An agent that is there to be killed: runs of every kind, several at a time, without an end. It says
 * before each call what it is about to record, and after it that the call has returned; both by a
 * write that has left the process when it returns. Arguments: its name, a seed.
 */
import { writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { type RunStatus, type RunMetrics, TelemetryClient } from '../../src/client/index.ts';
import type { Said } from './agent-ledger.ts';
import { Random } from './random.ts';

const [name = 'agent', seed = '1'] = process.argv.slice(2);
const random = new Random(Number(seed));
const MAX_CALLS = 20_000;
const ENDS = ['success', 'failure', 'partial', 'timeout', 'cancelled'] as const;
const CORRECTIONS = ['failure', 'partial'] as const;

/** Bounds small enough that files are full, and memory too, within a short life. */
const telemetry = new TelemetryClient({
  git: false,
  fsync: random.pick(['batch', 'off', 'always']),
  bufferMaxSizeMb: random.pick([0.02, 0.2, 10]),
  maxQueuedRuns: random.pick([5, 50, 10_000]),
  retryBackoffFactor: 1,
  onWarning: () => undefined,
});

/** Long events take long to write: a kill tears them. */
const longEvents = random.pick([0.02, 0.02, 0.5]);

let calls = 0;
let runs = 0;

const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`);

function begin(what: Omit<Said & { call: number }, 'call'>): number {
  const call = ++calls;
  say({ call, ...what } as Said);
  return call;
}

function told(what: Omit<Said & { call: number }, 'call'>, act: () => void): void {
  const call = begin(what);
  act();
  say({ done: call });
}

/** What comes between two calls: mostly nothing, so that much is under way at once. */
async function rest(): Promise<void> {
  const die = random.next();
  if (die < 0.5) return;
  if (die < 0.8) await turn();
  else await pause(random.between(0, 15));
}

const words = (): string => 'word '.repeat(random.chance(0.03) ? random.between(1, 15_000) : random.between(1, 20));

function someMetrics(): RunMetrics & Record<string, unknown> {
  const all = {
    items_succeeded: random.between(0, 1_000),
    items_failed: random.between(0, 1_000),
    output_summary: words(),
    metrics_json: { step: random.between(0, 1_000), list: [1, 'two', null] },
    // What PATCH cannot set goes another way.
    insight_id: `insight-${random.between(0, 1_000)}`,
    product: random.pick(['slides', 'cells', 'words']),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.4)));
}

interface Named {
  run: string;
  runId: string;
  fields: Record<string, unknown>;
}

function aRun(parent: string | undefined): Named {
  const runId = `${name}-${++runs}`;
  const fields = { event_id: `${name}:${runs}`, run_id: runId, ...someMetrics() };
  return { run: fields.event_id, runId, fields: { ...fields, ...(parent !== undefined && { parent_run_id: parent }) } };
}

const started = ({ fields }: Named): Record<string, unknown> => ({
  ...fields,
  agent_name: name,
  job_type: 'killed',
  status: 'running',
});

async function work(run: string, runId: string): Promise<void> {
  for (let steps = random.between(0, 4); steps > 0; steps--) {
    await rest();
    if (random.chance(0.5)) {
      const fields = someMetrics();
      told({ run, fields }, () => telemetry.setMetrics(runId, fields));
    } else {
      const marker = `${name}/${calls + 1}`;
      const payload = { marker, text: random.chance(longEvents) ? 'x'.repeat(random.between(1, 300_000)) : words() };
      told({ event: marker }, () => telemetry.logEvent(runId, 'step', payload));
    }
  }
  await rest();
}

async function plainRun(parent?: string): Promise<void> {
  const named = aRun(parent);
  const { run, runId } = named;
  const { parent_run_id, ...fields } = named.fields;
  void parent_run_id;
  told({ run, fields: started(named) }, () => void telemetry.startRun(name, 'killed', fields));
  await work(run, runId);
  if (random.chance(0.1)) return;
  end(run, runId, random.pick(ENDS));
  if (random.chance(0.2)) await commit(run, runId);
  if (random.chance(0.1)) end(run, runId, random.pick(CORRECTIONS));
}

function end(run: string, runId: string, status: string): void {
  const fields = someMetrics();
  told({ run, fields: { ...fields, status, ended: true } }, () => telemetry.endRun(runId, status as RunStatus, fields));
}

async function commit(run: string, runId: string): Promise<void> {
  await rest();
  const hash = random.between(1e9, 1e10).toString(16);
  const fields = { git_commit_hash: hash, git_commit_source: 'llm', git_commit_author: 'someone' };
  const call = begin({ run, fields });
  const { ok } = await telemetry.associateCommit(runId, hash, 'llm', { author: 'someone' });
  if (!ok) throw new Error('A commit for a known run was refused');
  say({ done: call });
}

async function trackedRun(depth: number, parent?: string): Promise<void> {
  const named = aRun(parent);
  const { run, runId } = named;
  const { parent_run_id, ...fields } = named.fields;
  void parent_run_id;
  const fails = random.chance(0.3);
  const start = begin({ run, fields: started(named) });
  let ending = 0;
  const tracked = telemetry.trackRun(name, 'killed', fields, async () => {
    say({ done: start });
    await work(run, runId);
    if (depth > 0) await Promise.all([trackedRun(depth - 1, runId), plainRun(runId)]);
    const result = fails ? { status: 'failure', error_summary: 'Error: it failed' } : { status: 'success' };
    ending = begin({ run, fields: { ...result, ended: true } });
    if (fails) throw new Error('it failed');
  });
  await tracked.catch(() => undefined);
  say({ done: ending });
}

async function lane(): Promise<void> {
  while (calls < MAX_CALLS) {
    await (random.chance(0.6) ? plainRun() : trackedRun(random.between(0, 2)));
    await turn();
  }
}

await Promise.all(Array.from({ length: random.between(1, 4) }, lane));
