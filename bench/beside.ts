/**
 * What `-- --beside <checkout>` of bench:writes and bench:reads shares: this checkout's service and another's, each a process
 * by its own `src/main.ts`, on databases of their own. The other one is started twice: the second, measured like this one,
 * shows what is noise. Each step asks all three in turn, there and back, for what the machine gives changes within seconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Load } from './load/handle.ts';
import type { Job, Outcome } from './load/jobs.ts';
import { digits, type Figure } from './report.ts';
import { median, percentile } from './support.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
/** What a change may cost; and where the noise is larger than that, how much of it is believed. */
const AT_LEAST = 0.97;
const NOISY_AT_LEAST = 0.9;

/** This checkout's, the other's, and the other's again. */
export type Three<Each> = [self: Each, other: Each, again: Each];

export interface Besides {
  /** The other checkout. */
  checkout: string;
  quick: boolean;
}

/** Takes `--beside <checkout>` and `--quick` from the command line. @returns undefined where nothing is to be beside */
export function takeBesides(argv = process.argv): Besides | undefined {
  const at = argv.indexOf('--beside');
  if (at < 0) return undefined;
  const [, given] = argv.splice(at, 2);
  const checkout = resolve(given ?? '');
  if (given === undefined || !existsSync(join(checkout, 'src/main.ts'))) {
    throw new RangeError('--beside takes the folder of a checkout, with its own node_modules');
  }
  const quickAt = argv.indexOf('--quick');
  if (quickAt >= 0) argv.splice(quickAt, 1);
  return { checkout, quick: quickAt >= 0 };
}

interface Process {
  url: string;
  stop: () => Promise<void>;
}

/** Starts a checkout's service as its users do. */
async function startCheckout(checkout: string, directory: string): Promise<Process> {
  const env = {
    PATH: process.env.PATH,
    TELEMETRY_BASE_DIR: directory,
    TELEMETRY_API_HOST: '127.0.0.1',
    TELEMETRY_API_PORT: '0',
  };
  const child = spawn(process.execPath, [join(checkout, 'src/main.ts'), 'serve'], {
    // Where no .env is.
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((found, failed) => {
    lines.on('line', (line) => {
      const address = /"url": ?"([^"]+)"/.exec(line)?.[1];
      if (address !== undefined) found(address);
    });
    void exited.then(() => failed(new Error(`The service of ${checkout} ended before it listened`)));
  });
  lines.close();
  // The rest of the log is read and dropped: a full pipe would hold the service up.
  child.stdout.resume();
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    process.off('exit', onExit);
  };
  return { url, stop };
}

/** Gives `work` the addresses of three fresh services, and the load; nothing of them stays. */
export async function withThree<T>(
  checkout: string,
  work: (urls: Three<string>, load: Load) => Promise<T>,
): Promise<T> {
  const running: Process[] = [];
  const load = new Load();
  const folders: string[] = [];
  try {
    for (const which of [HERE, checkout, checkout]) {
      folders.push(mkdtempSync(join(tmpdir(), 'telemetry-bench-')));
      running.push(await startCheckout(which, folders.at(-1) as string));
    }
    return await work(running.map(({ url }) => url) as Three<string>, load);
  } finally {
    load.close();
    for (const { stop } of running) await stop();
    for (const directory of folders) rmSync(directory, { recursive: true, force: true });
  }
}

/** What one service did in one step of one round. */
export interface Seen {
  perSecond: number;
  latencies: Float64Array;
}

/** One step of one round: the three in turn, there and back. @param jobs one for each, for their ids differ */
export async function inTurn(
  load: Load,
  urls: Three<string>,
  milliseconds: number,
  jobs: Three<Job>,
): Promise<Three<Seen>> {
  const outcomes: Three<Outcome[]> = [[], [], []];
  for (const which of [0, 1, 2, 2, 1, 0] as const) {
    outcomes[which].push(...(await load.run(urls[which], milliseconds / 2, jobs[which])));
  }
  return outcomes.map((each): Seen => ({
    perSecond: (sum(each.map(({ latencies }) => latencies.length)) * 1_000) / sum(each.map(({ took }) => took)),
    latencies: Float64Array.from(each.flatMap(({ latencies }) => [...latencies])),
  })) as Three<Seen>;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export const perSecond = ({ perSecond }: Seen): number => perSecond;
/** A share of the latencies; more is worse. */
export const latency =
  (share: number) =>
  ({ latencies }: Seen): number =>
    percentile(latencies, share);

/** How much better this is, and how much better the other is than itself; above 1 this one is better. */
export interface Compared {
  name: string;
  unit: 'ms' | 'a second';
  /** Of each service in each round. */
  values: Three<number>[];
  /** Whether there is a goal. */
  goal: boolean;
}

/**
 * Two figures: this beside the other, and the noise. A median below the goal counts as met where it is above the lower
 * quartile of the noise: the other one beside itself is as bad in a quarter of the rounds. On a machine that is busy with
 * something else that would be anything.
 */
export function figuresBeside({ name, unit, values, goal }: Compared): Figure[] {
  const better = (which: 0 | 2): number[] =>
    values.map((three) => (unit === 'ms' ? three[1] / three[which] : three[which] / three[1]));
  const noise = better(2);
  const [self, other, again] = [0, 1, 2].map((which) => digits(median(values.map((three) => three[which] as number))));
  const quartile = Math.floor(percentile(noise, 0.25) * 100) / 100;
  const atLeast = Math.min(AT_LEAST, Math.max(NOISY_AT_LEAST, quartile));
  return [
    { name, rounds: better(0), unit: 'x', of: `${self} beside ${other} ${unit}`, ...(goal && { atLeast }) },
    { name: `  noise: ${name}`, rounds: noise, unit: 'x', of: `${again} beside ${other} ${unit}` },
  ];
}

export const aboutBeside = ({ checkout }: Besides, rounds: number, seconds: number): string =>
  `This checkout beside ${checkout}, each by its own src/main.ts: above 1, this one is better. Below each figure is ` +
  `that checkout beside itself, the noise. ${rounds} rounds of ${seconds} s a step.`;
