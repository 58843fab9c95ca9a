/** Signals to `run` reach its command; and what ends `run` itself. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { spoolNames } from '../../support/client.ts';
import { MAIN } from '../../support/service.ts';
import { finished, printed, runBench, script } from './support.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Says when it is ready, and says each of the signals it gets; ends by itself on a line of stdin. */
const LISTENING = `for (const signal of ${JSON.stringify(SIGNALS)}) process.on(signal, () => console.log('got ' + signal));
process.stdin.once('data', () => process.exit(7));
console.log('ready ' + process.pid);`;

test('every signal reaches the command, which may go on; its own end is the end', async (t) => {
  const { start, spooled } = runBench(t);
  const child = start(['--quiet', '--', ...script(LISTENING)]);
  const ended = finished(child);
  await printed(child, 'ready');
  for (const signal of SIGNALS) {
    const got = printed(child, `got ${signal}`);
    child.kill(signal);
    await got;
  }
  child.stdin?.end('\n');
  const { code, stderr } = await ended;
  // Nor does Node open its debugger, which it would say there.
  assert.deepEqual([code, stderr.toString()], [7, '']);
  assert.equal(spooled().at(-1)?.error_summary, 'exit code 7');
});

test('a command that ends by a signal gives 128 and its number', async (t) => {
  const { run, spooled } = runBench(t);
  for (const signal of ['SIGTERM', 'SIGSEGV'] as const) {
    // Without a file of its memory.
    const { code } = await run(['--quiet', '--', 'sh', '-c', `ulimit -c 0; kill -${signal.slice(3)} $$`]);
    assert.equal(code, 128 + constants.signals[signal]);
    const { status, error_summary, context_json } = spooled().at(-1) ?? {};
    assert.deepEqual([status, error_summary], ['failure', `killed by ${signal}`]);
    assert.equal((context_json as { signal: string }).signal, signal);
  }
});

test(
  'a real-time signal is told by a shell between, as the help says',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { run, spooled } = runBench(t);
    const { code } = await run(['--quiet', '--', 'sh', '-c', '"$@"; exit $?', 'sh', 'sh', '-c', 'kill -34 $$']);
    assert.equal(code, 128 + 34);
    assert.equal(spooled().at(-1)?.status, 'failure');
  },
);

test('killed itself, it leaves a run that is running, and the command goes on', async (t) => {
  const { base, start, spooled } = runBench(t);
  const child = start(['--', ...script(LISTENING)]);
  const text = await printed(child, /ready \d+\n/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const command = Number(/\d+/.exec(text)?.[0]);
  assert.doesNotThrow(() => process.kill(command, 'SIGKILL'), 'the command is still there');
  assert.deepEqual([...new Set(spooled().map(({ status }) => status))], ['running']);
  assert.equal(spoolNames(join(base, 'buffer'), '.live').length, 1);
});

const SCRIPT = '/usr/bin/script';

test('the keys of a terminal reach the command once, not twice', { skip: !existsSync(SCRIPT) }, async (t) => {
  const { settings } = runBench(t);
  const command = [process.execPath, MAIN, 'run', '--quiet', '--', ...script(LISTENING)];
  const line = `exec ${command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`;
  const env = { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'dumb', ...settings };
  const child = spawn(SCRIPT, ['-qefc', line, '/dev/null'], { env, stdio: 'pipe', detached: true });
  t.after(() => child.kill('SIGKILL'));
  const all = finished(child);
  await printed(child, 'ready');
  // Many times, for two signals that come together may be seen as one.
  const keys = Array.from({ length: 20 }, (_, index) =>
    index % 2 === 0 ? { key: '\x03', signal: 'SIGINT' } : { key: '\x1c', signal: 'SIGQUIT' },
  );
  for (const { key, signal } of keys) {
    const got = printed(child, `got ${signal}`);
    child.stdin.write(key);
    await got;
  }
  child.stdin.write('\n');
  const { code, stdout } = await all;
  assert.equal(code, 7);
  assert.deepEqual(
    stdout.toString().match(/(?<=got )\w+/g),
    keys.map(({ signal }) => signal),
  );
});
