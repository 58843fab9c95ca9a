/** What a command leaves in the background: not waited for, and it keeps its stderr. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startService } from '../../support/service.ts';
import { finished, printed, runBench } from './support.ts';

/** Ends what is left if a test does not come so far. @returns its process id */
async function leftBy(child: ChildProcess, t: TestContext): Promise<number> {
  const left = Number(await printed(child, /\d+\n/));
  t.after(() => {
    try {
      process.kill(left, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  return left;
}

const TICKING = '(while :; do echo tick >&2; sleep 0.05; done) & echo $!';

test('a background program that goes on logging does not hold run up, and its log ends with it', async (t) => {
  const service = await startService(t);
  for (const url of ['http://127.0.0.1:1', service.url]) {
    const { start, spooled } = runBench(t);
    const child = start(['--quiet', '--', 'sh', '-c', `${TICKING}; exit 3`], { TELEMETRY_API_URL: url });
    const ended = finished(child);
    const left = await leftBy(child, t);
    const since = performance.now();
    assert.deepEqual(await once(child, 'exit'), [3, null]);
    const took = performance.now() - since;
    assert.ok(took < 1_500, `${took} ms after the command`);
    // It goes on, and what it says arrives.
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    process.kill(left, 'SIGTERM');
    // Its stderr is at its end: whoever copied it is gone.
    assert.match((await ended).stderr.toString(), /^(tick\n)+(Terminated\n)?$/);
    if (url !== service.url) assert.match(String(spooled().at(-1)?.error_details), /^tick(\ntick)*$/);
  }
});

test('a background program that speaks only after the end is not killed for it, and is heard', async (t) => {
  const { base, start } = runBench(t);
  const gate = join(base, 'gate');
  const waiting = 'mkfifo "$0"; (read -r go <"$0"; echo starting >&2; echo done) & echo $!';
  const child = start(['--quiet', '--', 'sh', '-c', waiting, gate]);
  const ended = finished(child);
  await leftBy(child, t);
  await once(child, 'exit');
  writeFileSync(gate, 'go\n');
  const { stdout, stderr } = await ended;
  assert.equal(stderr.toString(), 'starting\n');
  assert.match(stdout.toString(), /^\d+\ndone\n$/);
});

/** Numbered lines of 10 bytes until it is told to end, and then some. Names itself when it has said so many. */
const COUNTING = `let number = 0;
const [pause, before] = process.argv.slice(1).map(Number);
const lines = () => Array.from({ length: 100 }, () => String(number++).padStart(9) + '\\n').join('');
const say = () => process.stderr.write(lines(), () => {
  if (number === before) console.log(process.pid);
  if (pause) setTimeout(say, pause);
  else setImmediate(say);
});
process.on('SIGTERM', () => process.stderr.write(lines(), () => console.log('all ' + number) ?? process.exit(0)));
say();`;

/** Ends on a line of stdin. */
const STARTING = '"$0" -e "$1" "$2" "$3" & read -r go; exit 0';

/** @returns -1 where there is none */
function firstOutOfOrder(lines: Buffer): number {
  const all = lines.toString().split('\n');
  assert.equal(all.pop(), '');
  return all.findIndex((line, index) => Number(line) !== index);
}

test('what it says before the end and after it arrives in order, nothing lost and nothing twice', async (t) => {
  for (const pause of ['1', '0']) {
    const { start } = runBench(t);
    const child = start(['--quiet', '--', 'sh', '-c', STARTING, process.execPath, COUNTING, pause, '100']);
    const ended = finished(child);
    const left = await leftBy(child, t);
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    child.stdin?.end('go\n');
    await once(child, 'exit');
    // Still at it, now without run.
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    process.kill(left, 'SIGTERM');
    const { stdout, stderr } = await ended;
    assert.equal(`all ${stderr.length / 10}`, /all \d+/.exec(stdout.toString())?.[0]);
    assert.equal(firstOutOfOrder(stderr), -1);
  }
});

test('what a slow reader has not taken yet comes before what is copied on', async (t) => {
  const { base, start } = runBench(t);
  // A shell that says when the copying process has been started.
  const [told, shell] = [join(base, 'told'), join(base, 'sh')];
  execFileSync('mkfifo', [told]);
  writeFileSync(shell, `#!/bin/sh\necho copying >'${told}'\nexec /bin/sh "$@"\n`, { mode: 0o755 });
  const copying = readFile(told);
  // More than the system keeps for its reader, so that run still has some of it.
  const words = ['--quiet', '--', '/bin/sh', '-c', STARTING, process.execPath, COUNTING, '0', '30000'];
  const child = start(words, { PATH: `${base}:${process.env.PATH}` });
  const left = await leftBy(child, t);
  child.stdin?.end('go\n');
  await copying;
  const ended = finished(child);
  await once(child, 'exit');
  process.kill(left, 'SIGTERM');
  const { stdout, stderr } = await ended;
  assert.equal(`all ${stderr.length / 10}`, /all \d+/.exec(stdout.toString())?.[0]);
  assert.equal(firstOutOfOrder(stderr), -1);
});

test('where there is no sh to copy it, its stderr is closed, and run ends all the same', async (t) => {
  const { base, start } = runBench(t);
  const untilClosed = '(trap "" PIPE; while echo tick >&2; do :; done; echo closed) & echo $!';
  const child = start(['--quiet', '--', '/bin/sh', '-c', untilClosed], { PATH: base });
  const ended = finished(child);
  await leftBy(child, t);
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0);
  assert.match(stdout.toString(), /^\d+\nclosed\n$/);
  assert.match(stderr.toString(), /^tick\n/);
});
