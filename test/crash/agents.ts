/**
 * npm run test:agents -- [agentKills=100] [serviceKills=50] [bothKills=50] [seed]
 *
 * kill -9 for agents and for the service, at any moment: what was recorded arrives, once, in its last state.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentsKilled, bothKilled, type Outcome, serviceKilled, SERVICES } from './agent-matrix.ts';
import { Random, seedFrom } from './random.ts';

const MAX_AGENTS = 3;
/** Kills on one database, of both. */
const MAX_BOTH = 25;
const SHOWN = 10;

async function main(agentKills: number, serviceKills: number, bothKills: number, seed: number): Promise<number> {
  const random = new Random(seed);
  const outcomes: Outcome[] = [];
  say(`${agentKills} kills of agents, ${serviceKills} of services, ${bothKills} of both, seed ${seed}`);
  const run = async (scenario: (directory: string) => Promise<Outcome>): Promise<number> => {
    const directory = mkdtempSync(join(tmpdir(), 'telemetry-agents-'));
    const started = performance.now();
    const outcome = await scenario(directory);
    outcomes.push(outcome);
    say(`${((performance.now() - started) / 1_000).toFixed(1)} s: ${describe(outcome)}`);
    if (outcome.lost.length + outcome.wrong.length > 0) say(`  ${directory} is kept`);
    else rmSync(directory, { recursive: true });
    return outcome.kills;
  };
  for (let killed = 0; killed < agentKills;) {
    const state = random.chance(0.5) ? 'up' : random.pick(SERVICES.slice(1));
    const count = Math.min(random.between(1, MAX_AGENTS), agentKills - killed);
    killed += await run((directory) => agentsKilled(directory, random, state, count));
  }
  if (serviceKills > 0) await run((directory) => serviceKilled(directory, random, serviceKills));
  for (let killed = 0; killed < bothKills;) {
    const count = Math.min(MAX_BOTH, bothKills - killed);
    killed += await run((directory) => bothKilled(directory, random, count));
  }
  const sum = (read: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + read(each), 0);
  const bad = sum(({ lost, wrong }) => lost.length + wrong.length);
  say(
    `${bad > 0 ? 'FAILED' : 'ok'}: ${sum(({ kills }) => kills)} kills, ${sum(({ returned }) => returned)} calls that had ` +
      `returned, ${sum(({ runs }) => runs)} runs, ${sum(({ events }) => events)} events, ` +
      `${sum(({ lost }) => lost.length)} lost, ${sum(({ wrong }) => wrong.length)} wrong`,
  );
  return bad > 0 ? 1 : 0;
}

function describe({ what, kills, returned, runs, events, lost, wrong }: Outcome): string {
  const found = [...lost.map((line) => `LOST ${line}`), ...wrong.map((line) => `WRONG ${line}`)];
  const shown = found.slice(0, SHOWN).map((line) => `\n  ${line}`);
  const verdict = found.length === 0 ? 'all there' : `${lost.length} LOST, ${wrong.length} WRONG${shown.join('')}`;
  return `${kills} killed (${what}), ${returned} calls, ${runs} runs, ${events} events; ${verdict}`;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const [agentKills = 100, serviceKills = 50, bothKills = 50] = process.argv.slice(2, 5).map(Number);
process.exitCode = await main(agentKills, serviceKills, bothKills, seedFrom(process.argv[5]));
