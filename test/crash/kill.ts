/**
 * kill -9 under load, again and again on one database: nothing acknowledged may be lost.
 *
 * node test/crash/kill.ts [cycles=20] [seed]   (TELEMETRY_DB_* of the environment reach the service)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localEnvironment, spawnService } from '../support/service.ts';
import { kill, killWhileStarting, loadUntil, makePosters, type Moment } from './cycle.ts';
import { Ledger } from './ledger.ts';
import { judge, type Verdict } from './oracle.ts';
import { Random, seedFrom } from './random.ts';

const POSTERS = 8;
const MAX_ACKNOWLEDGEMENTS = 1_500;
const MAX_DELAY_MS = 10;
const MAX_START_MS = 600;

async function main(cycles: number, seed: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-kill-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const settings = Object.entries(process.env).filter(([name]) => name.startsWith('TELEMETRY_DB_'));
  const environment = { ...localEnvironment(directory), ...(Object.fromEntries(settings) as Record<string, string>) };
  const path = join(directory, 'db', 'telemetry.sqlite');
  const random = new Random(seed);
  const ledger = new Ledger();
  const posters = makePosters(POSTERS, seed, ledger);
  let failed = false;
  say(`${cycles} cycles, ${POSTERS} connections, seed ${seed}`);
  for (let times = 0; times < 3; times++) await killWhileStarting(environment, random.between(50, MAX_START_MS));
  let service = await spawnService(environment);
  try {
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const moment: Moment = {
        acknowledgements: random.between(1, MAX_ACKNOWLEDGEMENTS),
        delayMs: random.between(0, MAX_DELAY_MS),
      };
      const before = ledger.acknowledged;
      const running = service;
      await loadUntil(running, posters, moment, () => running.child.kill('SIGKILL'));
      await running.exited;
      const inFlight = ledger.open.size;
      const restarts = random.chance(0.3) ? 1 : 0;
      if (restarts > 0) await killWhileStarting(environment, random.between(50, MAX_START_MS));
      service = await spawnService(environment);
      const verdict = judge(path, ledger);
      failed ||= verdict.lost.length + verdict.wrong.length > 0;
      const again = restarts > 0 ? ', killed again while starting' : '';
      say(
        `cycle ${cycle}: ${ledger.acknowledged - before} answers, ${inFlight} in flight${again}; ${describe(verdict)}`,
      );
    }
    service.child.kill('SIGTERM');
    const [code] = await service.exited;
    const last = judge(path, ledger);
    failed ||= code !== 0 || last.lost.length + last.wrong.length > 0;
    say(`SIGTERM: exit ${code}; ${describe(last)}`);
    say(
      failed
        ? 'FAILED: see above'
        : `ok: ${ledger.acknowledged} acknowledged requests, ${ledger.runs.size} runs, ${cycles} kills, nothing lost`,
    );
  } finally {
    await kill(service);
  }
  return failed ? 1 : 0;
}

function describe({ runs, lost, wrong }: Verdict): string {
  if (lost.length + wrong.length === 0) return `${runs} runs, all there`;
  const first = [...lost, ...wrong].slice(0, 10).map((line) => `\n  ${line}`);
  return `${runs} runs, ${lost.length} LOST, ${wrong.length} WRONG:${first.join('')}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(Number(process.argv[2] ?? 20), seedFrom(process.argv[3]));
