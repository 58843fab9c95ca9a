/**
 * npm run bench:retention -- [rows=200000] [seconds=10]
 *
 * What those who post and read notice of a retention that deletes three quarters of all runs: the same
 * load before it, meanwhile and after it; then whether the counts are right, and what the file's size is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { call, machineLine, makeRun, percentile, startBenchService } from './support.ts';

const rows = Number(process.argv[2] ?? 200_000);
const seconds = Number(process.argv[3] ?? 10);
const POSTERS = 8;
const READERS = 2;
const DAY_MS = 24 * 60 * 60 * 1_000;
const DAYS = 200;
const KEPT_DAYS = 50;

interface Seen {
  posts: number[];
  lists: number[];
  seconds: number;
}

/** Posts and lists as fast as they are answered until `end` settles. */
async function load(url: string, end: Promise<unknown>): Promise<Seen> {
  const seen: Seen = { posts: [], lists: [], seconds: 0 };
  const started = performance.now();
  let ended = false;
  void end.finally(() => (ended = true));
  const post = async (): Promise<void> => {
    while (!ended) seen.posts.push(await call(`${url}/api/v1/runs`, 'POST', makeRun()));
  };
  const list = async (): Promise<void> => {
    while (!ended) seen.lists.push(await call(`${url}/api/v1/runs?agent_name=renovate&limit=100`, 'GET'));
  };
  await Promise.all([...Array.from({ length: POSTERS }, post), ...Array.from({ length: READERS }, list)]);
  seen.seconds = (performance.now() - started) / 1_000;
  return seen;
}

async function fill(url: string): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < rows; from += 1_000) {
    const runs = Array.from({ length: Math.min(1_000, rows - from) }, (_, index) =>
      makeRun(new Date(now - ((from + index) / rows) * DAYS * DAY_MS).toISOString()),
    );
    await call(`${url}/api/v1/runs/batch`, 'POST', `[${runs.join(',')}]`);
  }
}

interface Swept {
  deleted: number;
  bytes_before: number;
  bytes_after: number;
}

/** The real command, as its own process. */
async function retention(directory: string): Promise<Swept> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const words = ['retention', '--days', String(KEPT_DAYS), '--apply', '--json'];
  const env = { ...process.env, TELEMETRY_BASE_DIR: directory };
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`retention ended with ${code}`);
  return JSON.parse(output) as Swept;
}

/** Whether the counts that are kept equal those of the runs. */
function countsAreRight(path: string): boolean {
  const db = new Database(path, { readonly: true });
  try {
    const kept = 'SELECT agent_name, job_type, status, runs FROM rollup_runs ORDER BY 1, 2, 3';
    const real = 'SELECT agent_name, job_type, status, count(*) FROM agent_runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3';
    return JSON.stringify(db.prepare(kept).raw().all()) === JSON.stringify(db.prepare(real).raw().all());
  } finally {
    db.close();
  }
}

const line = (name: string, { posts, lists, seconds: took }: Seen): string => {
  const figures = [posts, lists].flatMap((all) => [
    percentile(all, 0.5).toFixed(1),
    percentile(all, 0.99).toFixed(1),
    Math.max(...all).toFixed(0),
    (all.length / took).toFixed(0),
  ]);
  return `${name.padEnd(10)} ${figures.map((figure) => figure.padStart(8)).join('')}   ${took.toFixed(1)} s\n`;
};

const directory = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
const path = join(directory, 'db', 'telemetry.sqlite');
const service = await startBenchService(directory, []);
try {
  await fill(service.url);
  const filled = statSync(path).size;
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  await load(service.url, new Promise((resolve) => setTimeout(resolve, 2_000)));
  const before = await load(service.url, rest());
  const sweep = retention(directory);
  const meanwhile = await load(service.url, sweep);
  const swept = await sweep;
  const after = await load(service.url, rest());
  await service.stop();
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  process.stdout.write(
    `${machineLine()}\n${POSTERS} posting single runs, ${READERS} listing 100, all as fast as answered\n\n`,
  );
  process.stdout.write('            post p50     p99     max       /s list p50     p99     max      /s\n');
  process.stdout.write([line('before', before), line('meanwhile', meanwhile), line('after', after)].join(''));
  const ratio = (of: 'posts' | 'lists', share: number): string =>
    (percentile(meanwhile[of], share) / percentile(before[of], share)).toFixed(2);
  process.stdout.write(
    `\nmeanwhile / before: post p50 x${ratio('posts', 0.5)}, p99 x${ratio('posts', 0.99)}, list p50 x${ratio('lists', 0.5)}, p99 x${ratio('lists', 0.99)}\n` +
      `${swept.deleted} of ${rows} runs deleted; the file had ${mib(filled)} when filled, ${mib(swept.bytes_before)} before, ${mib(swept.bytes_after)} after\n` +
      `counts right: ${countsAreRight(path)}\n`,
  );
} finally {
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
}
