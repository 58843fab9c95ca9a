/** What clients do with their side of the connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BATCH,
  create,
  foreignConnection,
  pathOf,
  rawConnection,
  rowOf,
  RUNS,
  serviceOfFile,
} from '../support/http.ts';
import { aRun, startService } from '../support/service.ts';

const service = serviceOfFile();

const post = (path: string, value: unknown): string => {
  const body = JSON.stringify(value);
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

for (const [what, requests, answers] of [
  ['a run', (id: string) => post(RUNS, aRun({ event_id: id })), 1],
  [
    'a batch and a list behind it',
    (id: string) => `${post(BATCH, [aRun({ event_id: id })])}GET ${RUNS} HTTP/1.1\r\nHost: x\r\n\r\n`,
    2,
  ],
] as const) {
  test(`a client that sends ${what} and closes its side is answered`, { timeout: 10_000 }, async (t) => {
    const { event_id } = aRun();
    const { socket, closed } = await rawConnection(t, service());
    socket.end(requests(event_id));
    const text = await closed;
    assert.equal(text.split(/HTTP\/1\.1 20[01] /).length - 1, answers, text);
    assert.ok(rowOf(t, service(), event_id));
  });
}

test('a client that closes its side is answered though the answer takes a while', { timeout: 10_000 }, async (t) => {
  const slow = await startService(t);
  const foreign = foreignConnection(t, slow.path);
  foreign.exec('BEGIN IMMEDIATE');
  const run = aRun();
  const { socket, closed } = await rawConnection(t, slow);
  const sent = Promise.withResolvers<void>();
  const send = slow.platform.writer.send.bind(slow.platform.writer);
  t.mock.method(slow.platform.writer, 'send', (...args: Parameters<typeof send>) => {
    sent.resolve();
    return send(...args);
  });
  socket.end(post(RUNS, run));
  await sent.promise;
  foreign.exec('ROLLBACK');
  assert.match(await closed, /^HTTP\/1\.1 201 [^]*"status":"created"/);
});

for (const prefix of ['http://telemetry.example:8765', 'HTTP://[::1]', 'https://user@host']) {
  test(`a target in absolute form is routed: ${prefix}`, { timeout: 10_000 }, async (t) => {
    const { event_id } = await create(service());
    const ask = async (target: string): Promise<string> => {
      const { socket, closed } = await rawConnection(t, service());
      socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return closed;
    };
    assert.match(await ask(`${prefix}${pathOf(event_id)}`), new RegExp(`^HTTP/1.1 200 [^]*"event_id":"${event_id}"`));
    const page = await ask(`${prefix}${RUNS}?limit=1&status=running`);
    assert.match(page, /^HTTP\/1\.1 200 /);
    assert.match(page, /\r\nLink: <\/api\/v1\/runs\?limit=1&status=running&cursor=/);
    assert.match(await ask(prefix), /^HTTP\/1\.1 404 /);
    assert.match(await ask(`${prefix}?x=/health`), /^HTTP\/1\.1 404 /);
  });
}
