/** What must be true when all is over: nothing acknowledged is gone, the totals are right, the file is whole. */
import { setTimeout as pause } from 'node:timers/promises';
import { MAIN, runToEnd } from '../support/service.ts';
import { walkAll } from './checks.ts';
import { inputOfId } from './make.ts';
import { checkLogs } from './logs.ts';
import type { Stage } from './play.ts';

const MAX_MEMORY_MIB = 1_024;
/** By how much memory may grow behind the first quarter, and how many MiB do not matter. */
const GROWTH = 1.3;
const SLACK_MIB = 48;
/** Fewer answers than these do not warm it up. */
const WARM_ANSWERS = 20_000;
const RECOUNT_MS = 30_000;

export function checkMemory({ figures, findings }: Stage): void {
  const peak = Math.max(0, ...figures.memory);
  if (peak > MAX_MEMORY_MIB) findings.add(undefined, 'memory', `the service held ${peak.toFixed(0)} MiB`);
  const growth = figures.memoryGrowth();
  if (growth === undefined || figures.answers < WARM_ANSWERS) return;
  if (growth.end <= Math.max(growth.warm * GROWTH, growth.warm + SLACK_MIB)) return;
  findings.add(undefined, 'memory', `it grew from ${growth.warm.toFixed(0)} to ${growth.end.toFixed(0)} MiB`);
}

/** Rows that are there by a second connection, against what was answered and what is counted. */
export async function checkStored(stage: Stage): Promise<void> {
  const { world, findings } = stage;
  const gone = [...world.acknowledged].filter((eventId) => !world.isStored(eventId));
  for (const eventId of gone.slice(0, 10))
    findings.add(
      inputOfId(eventId),
      eventId,
      `of ${world.acknowledged.size} acknowledged runs ${gone.length} are gone`,
    );
  const rows = world.db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  const shown = await walkAll(stage);
  if (shown !== rows) findings.add(undefined, 'the list', `it showed ${shown} of ${rows} runs`);
}

/** @returns what /metrics counts; what it says where it is no JSON */
async function totalOf(url: string): Promise<unknown> {
  const text = await (await fetch(`${url}/metrics`)).text();
  try {
    return (JSON.parse(text) as { total_runs: number }).total_runs;
  } catch {
    return text.slice(0, 100);
  }
}

/** @param patience milliseconds that a recount may take */
export async function checkTotals({ world, findings }: Stage, patience = 0): Promise<void> {
  const rows = world.db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  const until = Date.now() + patience;
  for (;;) {
    const total_runs = await totalOf(world.service.url);
    if (total_runs === rows) return;
    if (Date.now() >= until) {
      findings.add(undefined, '/metrics', `it counts ${String(total_runs)} runs, and there are ${rows}`);
      return;
    }
    await pause(50);
  }
}

async function stop({ world, findings }: Stage): Promise<void> {
  const killer = setTimeout(() => world.service.child.kill('SIGKILL'), 20_000);
  world.service.child.kill('SIGTERM');
  const [code, signal] = await world.service.exited;
  clearTimeout(killer);
  if (code !== 0) findings.add(undefined, 'SIGTERM', `it ended with ${code ?? signal}`);
  checkLogs(world.service.lines, findings);
}

async function verify({ world, findings }: Stage, allowed: readonly number[]): Promise<void> {
  const { code, stdout, stderr } = await runToEnd(world.environment, ['verify'], MAIN);
  if (code === null || !allowed.includes(code) || /\n {4}at /.test(stderr))
    findings.add(undefined, 'verify', `it ended with ${code}: ${stdout.slice(-600)} ${stderr.slice(0, 600)}`);
}

/** Stops and starts again among whatever rows are there, then without the rows of others. */
export async function checkRestarts(stage: Stage): Promise<void> {
  const { world } = stage;
  if (!world.touched) await checkTotals(stage);
  await stop(stage);
  if (world.touched) {
    // It may find what others have written, and it must live through it.
    await verify(stage, [0, 3]);
    await world.start();
    await checkTotals(stage, RECOUNT_MS);
    await stop(stage);
    removeForeign(stage);
    await world.start();
    await checkTotals(stage, RECOUNT_MS);
    await stop(stage);
  }
  await verify(stage, [0]);
  const whole = world.db.pragma('integrity_check', { simple: true });
  if (whole !== 'ok') stage.findings.add(undefined, 'integrity_check', String(whole).slice(0, 500));
}

/** Takes away what other programs wrote: their rows, the bases they changed, and what they put beside. */
function removeForeign({ world }: Stage): void {
  world.db.exec(`
    DELETE FROM agent_runs WHERE typeof(event_id) <> 'text' OR event_id NOT GLOB 'h[0-9]*' OR agent_name = 'foreign';
    DELETE FROM run_clocks WHERE id NOT IN (SELECT id FROM agent_runs);
    DELETE FROM run_originals WHERE id NOT IN (SELECT id FROM agent_runs);
    DELETE FROM spool_files;`);
}
