/** What the package does on a Node older than its own: the client works, all else says what is missing. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Checks, expectCode, run } from './support.ts';

/** What agents may run on, and what all else needs. */
const LEAST_CLIENT = 20;
const LEAST = 24;

/** Everything an agent does with a client, in JavaScript without `await using`. */
const CLIENT = `
import { TelemetryClient } from 'local-telemetry/client';
const warnings = [];
const client = new TelemetryClient({ git: false, agentOwner: 'team', onWarning: (warning) => warnings.push(warning) });
const result = await client.trackRun('older', 'outer', { website: 'ex\\uD800.com' }, async (run) => {
  run.logEvent('begin', { deep: [1] });
  await client.trackRun('older', 'inner', async () => {});
  run.setMetrics({ items_discovered: 3, metrics_json: { tokens: 7 }, context_json: '{"a":1}' });
  return 'done';
});
await client.trackRun('older', 'fails', async () => { throw new Error('as it should'); }).catch(() => {});
const id = client.startRun('older', 'by-hand', { git_repo: 'https://user:secret@example.com/o/r.git' });
client.endRun(id, 'partial');
const commit = await client.associateCommit(id, '9f1c2d3e4a5b', 'ci');
const stale = await client.cleanupStaleRuns({ agentName: 'nobody', olderThanMs: 1 });
const flushed = await client.flush(process.argv[2] === 'up' ? 10_000 : 500);
const { delivery, warnings: kinds } = await client.getStats();
await client.close();
process.stdout.write(JSON.stringify({ result, commit: commit.ok, stale: stale.ok, flushed, delivery, kinds, warnings }));`;

const EMBEDDED = `
import { openEmbedded } from 'local-telemetry/embedded';
const telemetry = await openEmbedded({ git: false, onWarning: () => {} });
await telemetry.client.trackRun('older', 'embedded', async () => {});
const { status } = await telemetry.request('GET', '/health');
await telemetry.close();
process.stdout.write(JSON.stringify({ problem: telemetry.problem.message, status }));`;

interface Said {
  result: string;
  commit: boolean;
  stale: boolean;
  flushed: boolean;
  delivery: { waiting: number; lost: number; not_spooled: number };
  kinds: Record<string, number>;
  warnings: string[];
}

const RUNS = ['by-hand', 'fails', 'inner', 'outer'];
const STATUSES = { 'by-hand': 'partial', fails: 'failure', inner: 'success', outer: 'success' };

/** A node in PATH that is too old for us, and the first number of its version. */
export async function olderNode(): Promise<{ path: string; major: number } | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'node');
    const { code, stdout } = await run(tmpdir(), [path, '--version']);
    const major = Number.parseInt(stdout.slice(1), 10);
    if (code === 0 && major < LEAST) return { path, major };
  }
  return undefined;
}

/** @param base where all files of the client lie @returns what the script printed */
async function script(node: string, folder: string, text: string, base: string, ...rest: string[]): Promise<unknown> {
  const [mode = '', url = 'http://127.0.0.1:1'] = rest;
  const file = join(folder, 'older.mjs');
  writeFileSync(file, text);
  const ended = await run(folder, [node, file, mode], { TELEMETRY_BASE_DIR: base, TELEMETRY_API_URL: url });
  expectCode(ended);
  assert.equal(ended.stderr, '');
  return JSON.parse(ended.stdout);
}

/** The last line of each run that the spool holds, by its job_type. */
function spooled(base: string): Map<string, Record<string, unknown>> {
  const buffer = join(base, 'buffer');
  const lines = readdirSync(buffer).flatMap((name) => readFileSync(join(buffer, name), 'utf8').trim().split('\n'));
  const runs = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  return new Map(runs.map((each) => [String(each.job_type), each]));
}

/** @param folder has the package installed */
export async function checkOlderNode(checks: Checks, folder: string): Promise<void> {
  const older = await olderNode();
  const names = [
    'an older Node is told what is missing',
    'on an older Node, without a service, the client has all runs in its spool',
    'on an older Node openEmbedded says that it needs a newer one, and the spool has the run',
  ] as const;
  const skip = (why: string, some: readonly string[]): void => some.forEach((name) => checks.skip(name, why));
  if (!older) return skip(`there is no Node below ${LEAST} in PATH`, names);
  await checks.check(names[0], async () => {
    const program = join(folder, 'node_modules/local-telemetry/bin/local-telemetry.cjs');
    const ended = await run(folder, [older.path, program, 'serve']);
    expectCode(ended, 1);
    assert.match(
      ended.stderr,
      /^local-telemetry: Node\.js 24 or later is needed, and this is \S+ \(.+\)\. Install it from \S+ .*\n$/,
    );
  });
  if (older.major < LEAST_CLIENT) return skip(`the Node in PATH is older than ${LEAST_CLIENT}`, names.slice(1));
  await checks.check(names[1], async () => {
    const base = join(folder, 'older-away');
    const said = (await script(older.path, folder, CLIENT, base, 'away')) as Said;
    assert.deepEqual([said.result, said.commit, said.stale, said.flushed], ['done', true, false, false]);
    assert.equal(said.warnings.length, 1, said.warnings.join('\n'));
    assert.match(String(said.warnings[0]), /the service does not take runs now \(.*ECONNREFUSED/);
    assert.deepEqual([said.delivery.waiting, said.delivery.lost, said.delivery.not_spooled], [RUNS.length, 0, 0]);
    const runs = spooled(base);
    const { outer, inner } = Object.fromEntries(runs);
    assert.deepEqual(Object.fromEntries([...runs].map(([job, { status }]) => [job, status])), STATUSES);
    assert.equal(inner?.parent_run_id, outer?.run_id);
    assert.deepEqual(
      [outer?.website, outer?.metrics_json, outer?.context_json],
      ['ex\uFFFD.com', { tokens: 7 }, { a: 1 }],
    );
    assert.equal(runs.get('by-hand')?.git_repo, 'https://example.com/o/r.git');
    assert.match(String(runs.get('fails')?.error_summary), /as it should/);
  });
  await checks.check(names[2], async () => {
    const base = join(folder, 'older-embedded');
    const { problem, status } = (await script(older.path, folder, EMBEDDED, base)) as Record<string, unknown>;
    assert.match(String(problem), /^openEmbedded needs Node\.js 24 or later, and this is [\d.]+\. Run the agent on/);
    assert.equal(status, 503);
    assert.deepEqual([...spooled(base).keys()], ['embedded']);
  });
}

/** @param url of a service that runs */
export async function checkOlderClient(checks: Checks, folder: string, url: string): Promise<void> {
  const name = 'on an older Node the client delivers all runs to a service, and its spool is empty';
  const older = await olderNode();
  if (!older || older.major < LEAST_CLIENT)
    return checks.skip(name, `there is no Node from ${LEAST_CLIENT} to ${LEAST - 1} in PATH`);
  await checks.check(name, async () => {
    const base = join(folder, 'older-up');
    mkdirSync(base);
    const said = (await script(older.path, folder, CLIENT, base, 'up', url)) as Said;
    assert.deepEqual([said.commit, said.stale, said.flushed, said.warnings], [true, true, true, []]);
    assert.deepEqual([said.delivery.waiting, said.delivery.lost], [0, 0]);
    assert.equal(spooled(base).size, 0);
    const response = await fetch(`${url}/api/v1/runs?agent_name=older`);
    const runs = (await response.json()) as { job_type: string; status: string }[];
    assert.deepEqual(Object.fromEntries(runs.map(({ job_type, status }) => [job_type, status])), STATUSES);
  });
}
