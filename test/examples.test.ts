import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { serviceOfFile } from './support/http.ts';
import { aRun, type Ended, runToEnd, temporaryDirectory } from './support/service.ts';

const service = serviceOfFile();
const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));

type Rows = Record<string, unknown>[];
async function runsOf(agent: string): Promise<Rows> {
  return (await service().request('GET', `/api/v1/runs?agent_name=${agent}`)).body as Rows;
}

test('the script that tracks itself is a run with its counters, and leaves an empty spool', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service().url };
  const { code, stdout, stderr } = await runToEnd(environment, [example('.')], example('self-tracking.ts'));
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^\d+ lines in /);
  const [run] = await runsOf('line-counter');
  assert.deepEqual([run?.status, Number(run?.items_discovered) > 3], ['success', true]);
  assert.deepEqual(readdirSync(join(directory, 'buffer')), []);
});

test('the agent has a run for each step below its own, and its commit', async (t) => {
  const environment = { TELEMETRY_BASE_DIR: temporaryDirectory(t), TELEMETRY_API_URL: service().url };
  const { code, stderr, stdout } = await runToEnd(environment, [], example('llm-agent.ts'));
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /The commit is stored/);
  const runs = await runsOf('post-writer');
  const [post] = runs.filter(({ job_type }) => job_type === 'write_post');
  assert.deepEqual(runs.map(({ job_type }) => job_type).sort(), ['plan', 'write_body', 'write_post', 'write_title']);
  assert.deepEqual(runs.filter(({ parent_run_id }) => parent_run_id === post?.run_id).length, 3);
  assert.match(String(post?.git_commit_hash), /^[0-9a-f]{40}$/);
  assert.deepEqual([post?.git_commit_source, post?.items_succeeded], ['llm', 2]);
});

const load = (...words: string[]): ReturnType<typeof runToEnd> => runToEnd({}, words, example('load.ts'));

test('the loader sends runs, plain or compressed, and every line of them', async (t) => {
  const directory = temporaryDirectory(t);
  const runs = Array.from({ length: 700 }, () => JSON.stringify(aRun({ agent_name: 'loaded' })));
  const [plain, packed] = [join(directory, 'runs.ndjson'), join(directory, 'runs.ndjson.gz')];
  writeFileSync(plain, `${runs.slice(0, 600).join('\r\n')}\n\n`);
  writeFileSync(packed, gzipSync(runs.slice(500).join('\n')));
  const first = await load(plain, service().url);
  assert.deepEqual([first.code, first.stderr], [0, '']);
  assert.match(first.stdout, /^600 runs sent in .* s: 600 inserted, 0 duplicates, 0 errors\n$/);
  assert.match(
    (await load(packed, service().url)).stdout,
    /^200 runs sent .*: 100 inserted, 100 duplicates, 0 errors\n$/,
  );
});

test('what cannot be read or reached ends an example with a message and no stack', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'runs.ndjson');
  writeFileSync(path, JSON.stringify(aRun()));
  writeFileSync(join(directory, 'torn.gz'), gzipSync('x').subarray(0, 8));
  const nobody = await closedAddress();
  const environment = { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service().url };
  const failed: [Promise<Ended>, RegExp][] = [
    [load(directory, nobody), /cannot be read: EISDIR.* Name a file with a run a line\.\n$/],
    [load(join(directory, 'none'), nobody), /cannot be read: ENOENT/],
    [load(join(directory, 'torn.gz'), nobody), /cannot be read: unexpected end of file/],
    [load(path, nobody), /^No service at http.* \(connect ECONNREFUSED .*\)\. Is it running\? npm start\n$/],
    [runToEnd(environment, [path], example('self-tracking.ts')), /^The lines of .* cannot be counted: ENOTDIR/],
  ];
  for (const [ended, why] of failed) {
    const { code, stdout, stderr } = await ended;
    assert.match(stderr, why);
    assert.deepEqual([code, stdout, stderr.split('\n').length], [1, '', 2]);
  }
});

test('without a service the examples of the client go on, and warn once in a line', async (t) => {
  const environment = { TELEMETRY_BASE_DIR: temporaryDirectory(t), TELEMETRY_API_URL: await closedAddress() };
  const warning =
    /^\(node:\d+\) TelemetryWarning: local-telemetry: the service does not take runs now \(.*\); they wait on disk\. Start it; TELEMETRY_API_URL says where it is\n.*\n$/;
  for (const [name, words] of [
    ['self-tracking.ts', [example('.')]],
    ['llm-agent.ts', []],
  ] as const) {
    const { code, stderr } = await runToEnd(environment, words, example(name));
    assert.equal(code, 0, name);
    assert.match(stderr, warning);
  }
});

/** An address of this machine where nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const python = spawnSync('python3', ['--version']).status === 0;

test('the Python example reports a run', { skip: python ? false : 'needs python3' }, async () => {
  const { code, stdout, stderr } = await runPython(example('report.py'), service().url);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /success \d+\n$/);
  const [run] = await runsOf('python-example');
  assert.equal(run?.status, 'success');
});

async function runPython(
  script: string,
  url: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { spawn } = await import('node:child_process');
  const { text } = await import('node:stream/consumers');
  const child = spawn('python3', [script, url], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, stdout, stderr };
}
