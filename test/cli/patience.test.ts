/** Whoever waits for a service that is busy is told what for. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Answer } from '../../src/cli/answer.ts';
import { patiently } from '../../src/cli/import/patience.ts';
import { run } from '../../src/cli/index.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { fakeService } from '../support/fake-service.ts';

const NOTE = 'The service is busy (429). It is asked again, for a minute at most.';
const done = (): Promise<void> => Promise.resolve();

/** Answers 429 so often, each with this Retry-After, then 200. */
function busy(times: number, retryAfterMs: number): () => Promise<Answer> {
  let left = times;
  return () =>
    Promise.resolve({ status: left-- > 0 ? 429 : 200, next: undefined, retryAfterMs, body: new Uint8Array() });
}

test('a request that waits for longer than 2 s says so once, a shorter wait says nothing', async () => {
  const notes: string[] = [];
  const target = { where: 'The service', note: (line: string): void => void notes.push(line) };
  await patiently(target, busy(1, 2_000), done);
  assert.deepEqual(notes, []);
  await patiently(target, busy(3, 0), done);
  assert.deepEqual(notes, [], '250, 500 and 1,000 ms');
  await patiently(target, busy(4, 0), done);
  assert.deepEqual(notes, [NOTE]);
  await patiently(target, busy(5, 30_000), done);
  assert.deepEqual(notes, [NOTE, NOTE], 'a new wait');
});

test('requests that wait beside each other say it once', async () => {
  const notes: string[] = [];
  const target = { where: 'The service', note: (line: string): void => void notes.push(line) };
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const both = [1, 2].map(() => patiently(target, busy(1, 5_000), () => over));
  end();
  await Promise.all(both);
  assert.deepEqual(notes, [NOTE]);
});

test('runs --url says on stderr that it waits for a service that answers 429, before it waits', async (t) => {
  const service = await fakeService(t);
  service.script = (_, count) =>
    count === 1 ? { status: 429, headers: { 'Retry-After': '30' }, body: {} } : { status: 200, body: [] };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stdout = new PassThrough().resume();
  const stderr = new PassThrough().setEncoding('utf8');
  const told = new Promise<string>((resolve) => stderr.once('data', resolve));
  const ended = run(['runs', '--url', service.url], new Terminal({ environment: {}, stdout, stderr }));
  assert.equal(await told, `The service at ${service.url} is busy (429). It is asked again, for a minute at most.\n`);
  assert.equal(service.received.length, 1);
  t.mock.timers.tick(30_000);
  assert.equal(await ended, 0);
  assert.equal(service.received.length, 2);
});
