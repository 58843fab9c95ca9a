/** stdin, stdout and stderr of a command that is recorded: as if it were not. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OURS, MAIN } from '../../support/service.ts';
import { finished, printed, runBench, script } from './support.ts';

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('stdin passes through, and stdout is untouched', async (t) => {
  const { run } = runBench(t);
  const input = randomBytes(10_000_000);
  const { code, stdout } = await run(['--quiet', '--', 'cat'], {}, input);
  assert.deepEqual([code, stdout.length, digestOf(stdout)], [0, input.length, digestOf(input)]);
});

/** 10 MB of numbered lines with characters of two bytes; the last 8 KiB begin within one. */
const LOUD = `const line = (number) => String(number).padStart(7) + ' ' + 'ü'.repeat(46) + '\\n';
const text = Array.from({ length: 100_000 }, (_, number) => line(number)).join('') + 'x';
process.stderr.write(text, () => process.exit(5));`;

test('10 MB of stderr pass in order, and only the end is recorded, from a whole character on', async (t) => {
  const { run, spooled } = runBench(t);
  const { code, stderr } = await run(['--quiet', '--', ...script(LOUD)]);
  assert.equal(code, 5);
  const lines = stderr.toString().split('\n');
  assert.deepEqual(
    [lines.length, lines.findIndex((line, index) => index < 100_000 && Number.parseInt(line) !== index)],
    [100_001, -1],
  );
  const details = String(spooled().at(-1)?.error_details);
  assert.ok(stderr.toString().endsWith(details) && !details.includes('\uFFFD'));
  const bytes = Buffer.byteLength(details);
  assert.ok(bytes === 8192 || (bytes === 8191 && stderr.at(-8192) === 0xbc), `${bytes} bytes are kept`);
});

test('stderr that is no text passes byte for byte, and the run can be stored all the same', async (t) => {
  const { run, spooled } = runBench(t);
  const all = 'process.stderr.write(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))); process.exitCode = 1';
  const { stderr } = await run(['--quiet', '--', ...script(all)]);
  assert.deepEqual(
    [...stderr],
    Array.from({ length: 256 }, (_, byte) => byte),
  );
  const details = String(spooled().at(-1)?.error_details);
  assert.ok(details.includes('ABC') && details.includes('\uFFFD') && !details.includes('\0'));
});

test('--stderr-tail says how much is kept; a success keeps nothing', async (t) => {
  const { run, spooled } = runBench(t);
  await run(['--stderr-tail', '4', '--', 'sh', '-c', 'echo 123456 >&2; exit 1']);
  assert.equal(spooled().at(-1)?.error_details, '456');
  await run(['--', 'sh', '-c', 'printf "  one\\n\\ntwo \\n\\n\\n" >&2; exit 1']);
  assert.equal(spooled().at(-1)?.error_details, '  one\n\ntwo', 'without the blank end');
  await run(['--', 'sh', '-c', 'echo >&2; exit 1']);
  assert.equal(spooled().at(-1)?.error_details, undefined);
  await run(['--', 'sh', '-c', 'echo 123456 >&2']);
  assert.equal(spooled().at(-1)?.error_details, undefined);
});

test('with --stderr-tail 0 the command has our stderr itself', { skip: process.platform !== 'linux' }, async (t) => {
  const { base, settings, spooled } = runBench(t);
  const path = join(base, 'errors');
  const file = openSync(path, 'w');
  const words = ['run', '--quiet', '--stderr-tail', '0', '--', 'sh', '-c', 'readlink /proc/$$/fd/2 >&2; exit 1'];
  const env = { ...OURS, ...settings };
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'ignore', file] });
  closeSync(file);
  assert.deepEqual(await once(child, 'exit'), [1, null]);
  assert.equal(readFileSync(path, 'utf8'), `${realpathSync(path)}\n`);
  assert.equal(spooled().at(-1)?.error_details, undefined);
});

test('our warnings come after what the command says, never within its lines', async (t) => {
  const { run } = runBench(t);
  const slow = "process.stderr.write('half '); setTimeout(() => process.stderr.write('whole\\n'), 300);";
  const { stderr } = await run(['--', ...script(slow)]);
  assert.match(stderr.toString(), /^half whole\nlocal-telemetry: the service does not take runs now/);
});

test('a program left in the background with our stderr open does not hold run up', async (t) => {
  const { start } = runBench(t);
  const silent = 'echo last >&2; tail -f /dev/null >/dev/null & echo $!';
  const child = start(['--quiet', '--', 'sh', '-c', silent]);
  const ended = finished(child);
  const left = Number(await printed(child, /\d+\n/));
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.doesNotThrow(() => process.kill(left, 'SIGKILL'), 'it is still running');
  assert.equal((await ended).stderr.toString(), 'last\n');
});

test('a slow reader of stderr gets all of it after the command has ended', async (t) => {
  const { start } = runBench(t);
  const child = start(['--quiet', '--', 'sh', '-c', 'head -c 200000 /dev/zero >&2; echo done']);
  child.stderr?.pause();
  await printed(child, 'done');
  const { code, stderr } = await finished(child);
  assert.deepEqual([code, stderr.length], [0, 200_000]);
});

test('a command whose stderr nobody reads any more finds it closed', async (t) => {
  const { start, spooled } = runBench(t);
  const child = start(['--quiet', '--', 'sh', '-c', 'exec yes >&2']);
  child.stderr?.once('data', () => child.stderr?.destroy());
  assert.deepEqual(await once(child, 'exit'), [141, null]);
  assert.equal(spooled().at(-1)?.error_summary, 'killed by SIGPIPE');
});
