/** Output that is lost is no success. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { run } from '../../src/cli/index.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { type Settings } from '../support/cli.ts';
import { RUNS, serviceOfFile } from '../support/http.ts';
import { OURS, aRun, localEnvironment, MAIN } from '../support/service.ts';

const service = serviceOfFile();
const LOST = /^local-telemetry: The output cannot be written: .*ENOSPC.*\. Free space, or send it elsewhere\.$/m;

/** Runs a command in this process, whose every write to stdout fails. */
async function unheard(code: string, words: readonly string[]): Promise<[code: number, stderr: string]> {
  const failure = Object.assign(new Error(`${code}: it failed`), { code });
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(failure) });
  stdout.on('error', () => undefined);
  const stderr = new PassThrough().setEncoding('utf8');
  const environment: Settings = localEnvironment(service().directory);
  const exit = await run(words, new Terminal({ environment, stdout, stderr }));
  return [exit, String(stderr.read() ?? '')];
}

const COMMANDS = [
  ['runs', 'lost'],
  ['runs', 'lost', '--json'],
  ['runs'],
  ['stale'],
  ['stale', '--json'],
  ['export'],
  ['--help'],
];

test('a command whose output cannot be written fails, and says so once', async () => {
  await service().request('POST', RUNS, aRun({ event_id: 'lost' }));
  for (const words of COMMANDS) {
    const [code, stderr] = await unheard('ENOSPC', words);
    assert.match(stderr, LOST, words.join(' '));
    assert.deepEqual([code, stderr.match(/cannot be written/g)?.length], [1, 1], words.join(' '));
  }
});

test('where nobody reads on, that is no failure, however often it is written', async () => {
  for (const words of COMMANDS) assert.equal((await unheard('EPIPE', words))[0], 0, words.join(' '));
});

test('on a full disk the program itself ends with 1', { skip: !existsSync('/dev/full') }, async () => {
  await service().request('POST', RUNS, aRun({ event_id: 'lost-2' }));
  for (const words of [['runs', 'lost-2'], ['stale', '--json'], ['export']]) {
    const full = openSync('/dev/full', 'w');
    const env = { ...OURS, ...localEnvironment(service().directory) };
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    assert.deepEqual(await once(child, 'close'), [1, null], words.join(' '));
    assert.match(stderr, LOST);
  }
});
