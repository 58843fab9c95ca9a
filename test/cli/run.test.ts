/** `run`: what the command is given, what comes back, and what is recorded of it. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { spoolNames } from '../support/client.ts';
import { openToVerify, startService } from '../support/service.ts';
import { runBench } from './run/support.ts';

test('an exit code comes back, and says whether the run is a success or a failure', async (t) => {
  const { run, spooled } = runBench(t);
  for (const code of [0, 3]) {
    const ended = await run(['--quiet', '--', 'sh', '-c', `exit ${code}`]);
    assert.equal(ended.code, code);
    assert.equal(ended.stdout.length + ended.stderr.length, 0);
    const last = spooled().at(-1);
    const summaries = code === 0 ? [undefined, undefined] : [`exit code ${code}`, undefined];
    assert.equal(last?.status, code === 0 ? 'success' : 'failure');
    assert.deepEqual([last?.error_summary, last?.error_details], summaries);
    assert.equal((last?.context_json as { exit_code: number }).exit_code, code);
  }
});

test('the run is named after the program, and says how long it took', async (t) => {
  const { run, spooled } = runBench(t);
  await run(['--', '/bin/sh', '-c', 'exit 0']);
  const [start, end] = spooled();
  assert.equal(start?.status, 'running');
  assert.deepEqual([end?.agent_name, end?.job_type, end?.trigger_type], ['sh', 'command', 'cli']);
  const took = Date.parse(String(end?.end_time)) - Date.parse(String(end?.start_time));
  assert.ok(Math.abs(Number(end?.duration_ms) - took) < 50, 'as measured by the clock');
});

test('options are fields of the run', async (t) => {
  const { run, spooled } = runBench(t);
  const fields = { agent_name: 'backup', job_type: 'nightly', run_id: 'r-1', parent_run_id: 'p-1', agent_owner: 'ops' };
  const more = { trigger_type: 'cron', environment: 'test', product: 'a', product_family: 'b', platform: 'c' };
  const rest = { website: 'd', website_section: 'e', subdomain: 'f', item_name: 'g', source_ref: 'h', target_ref: 'i' };
  const all = { ...fields, ...more, ...rest, insight_id: 'j' };
  const words = Object.entries(all).flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, value]);
  assert.equal((await run([...words, '--', 'true'])).code, 0);
  const last = spooled().at(-1) ?? {};
  for (const [name, value] of Object.entries(all)) assert.equal(last[name], value, name);
});

test('arguments are counted, and recorded only where that is asked for', async (t) => {
  const { base, run, spooled } = runBench(t);
  await run(['--', 'sh', '-c', 'true', '--password', 'geheim']);
  const told = spooled().at(-1)?.context_json;
  assert.deepEqual(told, { program: 'sh', arguments: 4, cwd: process.cwd(), exit_code: 0 });
  for (const file of readdirSync(base, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
    assert.ok(!readFileSync(join(file.parentPath, file.name), 'utf8').includes('geheim'), file.name);
  }
  await run(['--record-arguments', '--', 'sh', '-c', 'true', '--', 'a b']);
  const { command } = spooled().at(-1)?.context_json as { command: string[] };
  assert.deepEqual(command, ['sh', '-c', 'true', '--', 'a b']);
});

test('the command finds the id of its run, and a run within it becomes its child', async (t) => {
  const { run, spooled } = runBench(t);
  const { stdout } = await run(['--run-id', 'outer', '--', 'sh', '-c', 'echo $TELEMETRY_RUN_ID']);
  assert.equal(stdout.toString(), 'outer\n');
  await run(['--run-id', 'inner', '--', 'true'], { TELEMETRY_RUN_ID: 'outer' });
  assert.equal(spooled().at(-1)?.parent_run_id, 'outer');
  await run(['--parent-run-id', 'another', '--', 'true'], { TELEMETRY_RUN_ID: 'outer' });
  assert.equal(spooled().at(-1)?.parent_run_id, 'another');
});

test('a command that is not there gives 127, one that may not be executed 126, and the run says why', async (t) => {
  const { base, run, spooled } = runBench(t);
  const missing = await run(['--quiet', '--', 'no-such-program']);
  assert.equal(missing.code, 127);
  assert.match(missing.stderr.toString(), /^local-telemetry: no-such-program is not found; give its path, or/);
  assert.match(String(spooled().at(-1)?.error_summary), /^no-such-program is not found/);
  const file = join(base, 'data');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  const refused = await run(['--quiet', '--', file]);
  assert.equal(refused.code, 126);
  assert.match(refused.stderr.toString(), /data may not be executed; make it executable: chmod \+x\n$/);
  assert.deepEqual([spooled().at(-1)?.status, spooled().at(-1)?.agent_name], ['failure', 'data']);
});

test('without a command the command line is wrong, and nothing is recorded', async (t) => {
  const { base, run } = runBench(t);
  for (const [words, why] of [
    [[], /There is no command to run; write it behind --/],
    [['sh', '-c', 'true'], /"sh" is one word too many; write -- before it/],
    [['--stderr-tail', '65537', '--', 'true'], /--stderr-tail must be a whole number from 0 to 65536/],
  ] as const) {
    const { code, stderr } = await run(words);
    assert.equal(code, 2);
    assert.match(stderr.toString(), why);
  }
  assert.deepEqual(readdirSync(base), []);
});

test('with a service that runs the run is stored when run ends, and nothing is left in the spool', async (t) => {
  const service = await startService(t);
  const { run } = runBench(t, service.directory);
  const { code, stderr } = await run(['--run-id', 'r-1', '--', 'sh', '-c', 'echo no >&2; exit 4'], {
    TELEMETRY_API_URL: service.url,
  });
  assert.deepEqual([code, stderr.toString()], [4, 'no\n']);
  const stored = openToVerify(t, service.path).prepare('SELECT * FROM agent_runs').all() as Record<string, unknown>[];
  assert.equal(stored.length, 1);
  const [{ run_id, status, error_summary, error_details } = {}] = stored;
  assert.deepEqual([run_id, status, error_summary, error_details], ['r-1', 'failure', 'exit code 4', 'no']);
  assert.deepEqual(spoolNames(join(service.directory, 'buffer')), []);
});

test('with the service down the exit code comes at once, and the run arrives when the service starts', async (t) => {
  const { base, run } = runBench(t);
  const { code, stderr } = await run(['--run-id', 'r-1', '--', 'sh', '-c', 'exit 3']);
  assert.equal(code, 3);
  assert.match(
    stderr.toString(),
    /^local-telemetry: the service does not take runs now .* they wait on disk\. Start it; TELEMETRY_API_URL says where it is\n$/,
  );
  const service = await startService(t, {}, base);
  const row = openToVerify(t, service.path).prepare('SELECT status, error_summary FROM agent_runs').get();
  assert.deepEqual({ ...(row as object) }, { status: 'failure', error_summary: 'exit code 3' });
});

/** Writes down every module that is loaded, as Node resolves it. */
const HOOK = `import { registerHooks } from 'node:module';
import { appendFileSync } from 'node:fs';
registerHooks({ resolve(specifier, context, next) {
  const found = next(specifier, context);
  appendFileSync(process.env.LOADED, found.url + '\\n');
  return found;
} });`;

test('nothing of the service is loaded: no SQLite, no threads, no platform, not even its configuration', async (t) => {
  const { base, run } = runBench(t);
  const hook = join(base, 'hook.mjs');
  const list = join(base, 'loaded');
  writeFileSync(hook, HOOK);
  const hooked = { NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`, LOADED: list };
  assert.equal((await run(['--', 'true'], hooked)).code, 0);
  const loaded = readFileSync(list, 'utf8').trim().split('\n');
  assert.ok(
    loaded.some((url) => url.endsWith('/src/client/index.ts')),
    'the list has what is loaded',
  );
  const heavy =
    /sqlite|piscina|comlink|polka|env-schema|sonic-boom|worker_threads|\/src\/(platform|config|actors|http)\b/;
  assert.deepEqual(
    loaded.filter((url) => heavy.test(url)),
    [],
  );
});
