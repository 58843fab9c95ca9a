/** Nothing of telemetry changes the fate of a command. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeService } from '../../support/fake-service.ts';
import { MAIN, temporaryDirectory } from '../../support/service.ts';
import { runBench, script } from './support.ts';

test('a service that hangs delays the end by a second at most, and the run waits on disk', async (t) => {
  const service = await fakeService(t);
  service.script = () => 'hang';
  const { run, spooled } = runBench(t);
  const ending = script('process.stdout.write(String(Date.now()), () => process.exit(5))');
  const { code, stdout } = await run(['--quiet', '--', ...ending], { TELEMETRY_API_URL: service.url });
  const took = Date.now() - Number(stdout.toString());
  assert.equal(code, 5);
  // The client by itself would take 2 s.
  assert.ok(took < 1_900, `${took} ms after the command`);
  assert.ok(service.connections > 0, 'it was asked');
  assert.equal(spooled().at(-1)?.status, 'failure');
});

test('a spool that cannot be written warns once, or not at all with --quiet', async (t) => {
  const { base, run } = runBench(t);
  // Nobody may make folders in a file, not even root.
  const file = join(base, 'file');
  writeFileSync(file, '');
  const unwritable = { TELEMETRY_BUFFER_DIR: join(file, 'buffer'), TELEMETRY_NDJSON_DIR: join(file, 'raw') };
  const { code, stdout, stderr } = await run(['--', 'sh', '-c', 'echo out; exit 6'], unwritable);
  assert.deepEqual([code, stdout.toString()], [6, 'out\n']);
  assert.equal(stderr.toString().match(/the spool .* cannot be written/g)?.length, 1);
  const quiet = await run(['--quiet', '--', 'sh', '-c', 'exit 6'], unwritable);
  assert.deepEqual([quiet.code, quiet.stderr.toString()], [6, '']);
  assert.deepEqual(readdirSync(base), ['file']);
});

test('a spool that cannot be written does not keep the run from a service that is there', async (t) => {
  const service = await fakeService(t);
  const { base, run } = runBench(t);
  const file = join(base, 'file');
  writeFileSync(file, '');
  const settings = { TELEMETRY_BASE_DIR: file, TELEMETRY_API_URL: service.url };
  assert.equal((await run(['--run-id', 'r-1', '--', 'sh', '-c', 'exit 6'], settings)).code, 6);
  const [stored, ...others] = service.store.runs.values();
  assert.deepEqual([stored?.run_id, stored?.status, others.length], ['r-1', 'failure', 0]);
});

test('settings that are wrong warn before the command starts, and the defaults hold', async (t) => {
  const { run, spooled } = runBench(t);
  const wrong = { TELEMETRY_CLIENT_FSYNC: 'never', TELEMETRY_BUFFER_MAX_SIZE_MB: 'x', TELEMETRY_TEST_MODE: 'mock' };
  const { code, stderr } = await run(['--', 'sh', '-c', 'echo mine >&2; exit 2'], wrong);
  assert.equal(code, 2);
  const lines = stderr.toString().trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^local-telemetry: TELEMETRY_CLIENT_FSYNC must be one of always, batch, off/);
  assert.match(lines[1] ?? '', /TELEMETRY_BUFFER_MAX_SIZE_MB .* must be from/);
  assert.deepEqual(lines.slice(2), ['mine']);
  assert.equal(spooled().at(-1)?.error_details, 'mine');
  assert.equal((await run(['--quiet', '--', 'true'], wrong)).stderr.length, 0);
});

test('a service that answers nonsense is as good as none', async (t) => {
  const service = await fakeService(t);
  service.script = () => ({ status: 200, body: '<html>' });
  const { run } = runBench(t, temporaryDirectory(t));
  const { code } = await run(['--quiet', '--', 'sh', '-c', 'exit 3'], { TELEMETRY_API_URL: service.url });
  assert.equal(code, 3);
});

test('a command runs where its working directory was removed', async (t) => {
  const { base, run, spooled } = runBench(t);
  const folder = join(base, 'gone');
  mkdirSync(folder);
  const inner = [process.execPath, MAIN, 'run', '--quiet', '--', 'sh', '-c', 'echo here; exit 4'];
  const gone = 'cd "$0" && rmdir "$0" && exec "$@"';
  const { code, stdout } = await run(['--quiet', '--', 'sh', '-c', gone, folder, ...inner]);
  assert.deepEqual([code, stdout.toString()], [4, 'here\n']);
  const stored = spooled().filter(({ parent_run_id }) => parent_run_id !== undefined);
  assert.deepEqual(stored.at(-1)?.context_json, { program: 'sh', arguments: 2, exit_code: 4 });
});
