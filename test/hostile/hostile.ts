/** A whole run: stages of inputs, checks between them, and what must be true at the end. */
import { performance } from 'node:perf_hooks';
import { describe } from '../../src/errors.ts';
import { checkOverviews, checkRows, checkSpool } from './checks.ts';
import { checkMemory, checkRestarts, checkStored } from './end.ts';
import { Figures } from './figures.ts';
import { type Finding, Findings } from './findings.ts';
import type { Input, Kind } from './input.ts';
import { checkLogs } from './logs.ts';
import { makeInput } from './make.ts';
import { playAll, playLateAgain, type Stage } from './play.ts';
import { World } from './world.ts';

export interface Options {
  requests: number;
  seed: number;
  /** These inputs alone, one after another. */
  only?: readonly number[] | undefined;
  kinds: readonly Kind[];
  say: (line: string) => void;
}

const PLAYERS = 8;
const MAX_STAGE = 5_000;
/** So often the service is started anew, in a new folder, before the run is given up. */
const MAX_DEATHS = 5;
const MAX_FINDINGS = 2_000;

export async function hostile({ requests, seed, only, kinds, say }: Options): Promise<readonly Finding[]> {
  say(`seed ${seed}, ${only ? `inputs ${only.join()}` : `${requests} inputs`} of ${kinds.join(', ')}`);
  const findings = new Findings(seed, say);
  const figures = new Figures();
  const startedAt = performance.now();
  const inputs = numbered(only ?? requests, (number) => makeInput(seed, number, kinds));
  const size = only ? 1 : Math.min(MAX_STAGE, Math.ceil(requests / 8));
  let world = await World.create();
  let deaths = 0;
  try {
    for (let done = 0, mark = 0n; done < (only?.length ?? requests); done += size) {
      const stage: Stage = { world, figures, findings, players: only ? 1 : PLAYERS };
      mark = await playStage(stage, some(inputs, size), mark);
      if (findings.all.length > MAX_FINDINGS) break;
      if (world.alive) continue;
      if (++deaths > MAX_DEATHS) break;
      await world.destroy();
      world = await World.create();
      mark = 0n;
    }
    const stage: Stage = { world, figures, findings, players: 1 };
    if (world.alive) await checkStored(stage);
    checkMemory(stage);
    if (world.alive) await checkRestarts(stage);
  } catch (error) {
    findings.add(undefined, 'the run', `it cannot go on: ${describe(error)}`);
  } finally {
    await world.destroy();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const line of [...figures.table(), ...findings.sorts()]) say(line);
  say(
    `${findings.all.length === 0 ? 'ok' : `FAILED, ${findings.all.length} found`}: ${figures.answers} answers in ${seconds.toFixed(0)} s, seed ${seed}`,
  );
  return findings.all;
}

/** One stage and the looks behind it. @returns the greatest row that was looked at */
async function playStage(stage: Stage, inputs: Iterator<Input>, mark: bigint): Promise<bigint> {
  const { world, figures, findings } = stage;
  const late = await playAll(stage, inputs);
  if (world.alive) await playLateAgain(stage, late);
  let seen = mark;
  if (world.alive) seen = await checkRows(stage, mark);
  if (world.alive) await checkOverviews(stage);
  if (world.alive) await checkSpool(stage);
  figures.memory.push(world.memory() ?? 0);
  checkLogs(world.service.lines, findings);
  if (!world.alive || !(await answers(stage))) {
    findings.add(undefined, 'the service', world.alive ? 'it answers no more' : 'it has ended by itself');
    world.service.child.kill('SIGKILL');
    await world.service.exited;
  }
  return seen;
}

async function answers({ world }: Stage): Promise<boolean> {
  try {
    const { status } = await fetch(`${world.service.url}/health`, { signal: AbortSignal.timeout(20_000) });
    return status === 200;
  } catch {
    return false;
  }
}

function* numbered(numbers: number | readonly number[], make: (number: number) => Input): Generator<Input, undefined> {
  if (typeof numbers === 'number') for (let number = 0; number < numbers; number++) yield make(number);
  else for (const number of numbers) yield make(number);
}

function* some(inputs: Iterator<Input>, count: number): Generator<Input, undefined> {
  for (let taken = 0; taken < count; taken++) {
    const next = inputs.next();
    if (next.done) return;
    yield next.value;
  }
}
