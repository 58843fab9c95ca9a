import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serviceOfFile } from './support/http.ts';
import { runToEnd, temporaryDirectory } from './support/service.ts';

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
