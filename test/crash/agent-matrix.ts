/** Who is killed while what goes on: agents, the service while it drains, both. Each ends in a drain and a verdict. */
import { globSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { TelemetryClient } from '../../src/client/index.ts';
import { localEnvironment, type ServiceProcess, spawnService } from '../support/service.ts';
import { age, type AgentMoment, drainAll, liveAndDie, startHanging } from './agent-cycle.ts';
import { AgentLedger } from './agent-ledger.ts';
import { type AgentVerdict, judgeAgents } from './agent-oracle.ts';
import { kill, killWhileStarting } from './cycle.ts';
import type { Random } from './random.ts';

export interface Outcome extends AgentVerdict {
  /** What was done. */
  what: string;
  /** Calls of the agents that had returned. */
  returned: number;
  kills: number;
}

export const SERVICES = ['up', 'down', 'hanging'] as const;

const MAX_LINES = 900;
const MAX_DELAY_MS = 120;
const FILL_RUNS = 8_000;
/** Of a service from its start to its kill: it drains before it listens. */
const MIN_START_MS = 250;
const MAX_DRAIN_MS = 1_800;
/** A client sends what nobody has touched for so long. */
const ABANDONED_MS = 10 * 60_000;

function aMoment(random: Random): AgentMoment {
  return { lines: random.between(1, MAX_LINES), delayMs: random.chance(0.5) ? 0 : random.between(0, MAX_DELAY_MS) };
}

/** Some agents live and die beside a service in some state; then another drains what they left. */
export async function agentsKilled(
  directory: string,
  random: Random,
  state: (typeof SERVICES)[number],
  count: number,
): Promise<Outcome> {
  const ledger = new AgentLedger();
  const service = state === 'up' ? await spawnService(localEnvironment(directory)) : undefined;
  const hanging = state === 'hanging' ? await startHanging() : undefined;
  const url = service?.url ?? hanging?.url ?? 'http://127.0.0.1:9';
  const prefix = `a${random.between(0, 1e9)}`;
  try {
    const agents = Array.from({ length: count }, (_, index) => {
      const seed = random.between(1, 1e9);
      const onLine = ledger.agent();
      return liveAndDie({ directory, url, name: `${prefix}-${index}`, seed, moment: aMoment(random), onLine });
    });
    await Promise.all(agents);
  } finally {
    if (service) await kill(service);
    hanging?.[Symbol.dispose]();
  }
  age(directory);
  await drainAll(directory);
  const verdict = judgeAgents(directory, ledger);
  return { ...verdict, what: `${count} beside a service ${state}`, returned: ledger.returned, kills: count };
}

/** A service is killed while it drains, started again, and killed again; the spool is filled when it is empty. */
export async function serviceKilled(
  directory: string,
  random: Random,
  kills: number,
  runs = FILL_RUNS,
): Promise<Outcome> {
  const ledger = new AgentLedger();
  let fills = 0;
  let inDrain = 0;
  for (let killed = 0; killed < kills; killed++) {
    if (fills === 0 || waitingBytes(directory) === 0) await fill(directory, ledger, `f${++fills}`, runs);
    const settings = { TELEMETRY_SYNC_BATCH_SIZE: String(random.pick([10, 100, 500])) };
    await killWhileStarting(
      { ...localEnvironment(directory), ...settings },
      random.between(MIN_START_MS, MAX_DRAIN_MS),
    );
    if (waitingBytes(directory) !== 0) inDrain++;
  }
  await drainAll(directory);
  const what = `the service, ${inDrain} times before the end of a drain, of ${fills * runs} runs`;
  return { ...judgeAgents(directory, ledger), what, returned: ledger.returned, kills };
}

/** Bytes of the spool that are not stored; undefined where a journal waits to be rolled back. */
function waitingBytes(directory: string): number | undefined {
  const path = join(directory, 'db', 'telemetry.sqlite');
  const positions = new Map<string, number>();
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const rows = db.prepare('SELECT name, position FROM spool_files').raw().all() as [string, number][];
      for (const [name, position] of rows) positions.set(name, position);
    } finally {
      db.close();
    }
  } catch {
    // Killed within a commit, or before there was a database.
    return undefined;
  }
  const files = globSync('buffer/*.{live,sealed}', { cwd: directory });
  const waiting = (file: string): number =>
    statSync(join(directory, file)).size - (positions.get(basename(file).replace(/\.jsonl\.\w+$/, '')) ?? 0);
  return files.reduce((sum, file) => sum + waiting(file), 0);
}

/** A client that only writes files leaves runs in three states each. */
async function fill(directory: string, ledger: AgentLedger, name: string, runs: number): Promise<void> {
  const telemetry = new TelemetryClient({ baseDir: directory, testMode: 'mock', fsync: 'off', git: false });
  const note = ledger.agent();
  let call = 0;
  const told = (run: string, fields: Record<string, unknown>, act: () => void): void => {
    act();
    note(JSON.stringify({ call: ++call, run, fields }));
    note(JSON.stringify({ done: call }));
  };
  for (let n = 0; n < runs; n++) {
    const [run, runId] = [`${name}:${n}`, `${name}-${n}`];
    const start = { event_id: run, run_id: runId, output_summary: 'x'.repeat(1 + (n % 700)) };
    const names = { agent_name: name, job_type: 'fill', status: 'running' };
    told(run, { ...start, ...names }, () => void telemetry.startRun(name, 'fill', start));
    told(run, { items_failed: n }, () => telemetry.setMetrics(runId, { items_failed: n }));
    if (n % 10 !== 0) told(run, { status: 'success', ended: true }, () => telemetry.endRun(runId, 'success'));
  }
  await telemetry.close();
}

/** Agents and the service are killed at random, both again and again. */
export async function bothKilled(directory: string, random: Random, kills: number): Promise<Outcome> {
  const ledger = new AgentLedger();
  const first = await spawnService(localEnvironment(directory));
  const { port } = new URL(first.url);
  const prefix = `b${random.between(0, 1e9)}`;
  let agents = 0;
  let services = 0;
  const over = (): boolean => agents + services >= kills && agents > 0 && services > 0;
  const agentLane = async (): Promise<void> => {
    while (!over()) {
      const seed = random.between(1, 1e9);
      const name = `${prefix}-${seed}`;
      await liveAndDie({ directory, url: first.url, name, seed, moment: aMoment(random), onLine: ledger.agent() });
      agents++;
      // The next agents take what seems abandoned, also from those that still live.
      if (random.chance(0.5)) age(directory, ABANDONED_MS);
    }
  };
  const serviceLane = async (service: ServiceProcess): Promise<void> => {
    for (;;) {
      await pause(random.between(0, 1_500));
      await kill(service);
      services++;
      if (over()) return;
      // The agents know it by its port.
      service = await spawnService({ ...localEnvironment(directory), TELEMETRY_API_PORT: port });
    }
  };
  await Promise.all([agentLane(), agentLane(), serviceLane(first)]);
  age(directory);
  await drainAll(directory);
  const what = `${agents} agents and ${services} services at once`;
  return { ...judgeAgents(directory, ledger), what, returned: ledger.returned, kills: agents + services };
}
