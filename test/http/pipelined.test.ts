import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawConnection, RUNS, serviceOfFile, storedRuns } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

const GARBAGE = 'this is no HTTP\r\n\r\n';
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

for (const [what, garbage] of [
  ['no HTTP', GARBAGE],
  ['headers too large', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
] as const) {
  test(`what follows a request being answered and is ${what} is not answered in its place`, async (t) => {
    const { socket, closed } = await rawConnection(t, service());
    socket.write(get(RUNS) + garbage);
    const text = await closed;
    assert.ok(text === '' || text.startsWith('HTTP/1.1 200 '), text);
    assert.equal(text.includes('400') || text.includes('431'), false, text);
  });
}

test('a run whose request is followed by what is no HTTP is not answered as malformed', async (t) => {
  const { socket, closed } = await rawConnection(t, service());
  const run = JSON.stringify(aRun());
  socket.write(`POST ${RUNS} HTTP/1.1\r\nHost: x\r\nContent-Length: ${run.length}\r\n\r\n${run}${GARBAGE}`);
  const text = await closed;
  assert.ok(text === '' || text.startsWith('HTTP/1.1 201 '), text);
  assert.ok(storedRuns(t, service()) <= 1);
});

test('what is no HTTP is still answered where nothing else is, also behind an answer', async (t) => {
  const first = await rawConnection(t, service());
  first.socket.write(GARBAGE);
  assert.match(await first.closed, /^HTTP\/1\.1 400 Bad Request\r\n/);
  const second = await rawConnection(t, service());
  second.socket.write(get('/health'));
  await second.receive('"status":"ok"');
  second.socket.write(GARBAGE);
  assert.match(await second.closed, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 400 Bad Request\r\n/);
});
