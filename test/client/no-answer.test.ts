import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { HttpTransport } from '../../src/client/transport.ts';
import { aClient, linesIn } from '../support/client.ts';
import { fakeService } from '../support/fake-service.ts';

/** A server below HTTP. @returns a transport to it, which does not lose patience by itself */
async function raw(t: TestContext, answer: (socket: Socket) => void): Promise<HttpTransport> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => answer(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = new HttpTransport({ url, token: undefined, timeoutMs: 600_000 });
  t.after(() => {
    transport.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return transport;
}

const NO_ANSWER: Record<string, (socket: Socket) => void> = {
  'an answer in another protocol': (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  'a connection that is closed without an answer': (socket) => socket.end(),
  'a connection that is reset': (socket) => socket.resetAndDestroy(),
  'an answer that ends within its headers': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'),
  'an answer that ends within its body': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"status":'),
  'words that are no HTTP': (socket) => socket.end('SSH-2.0-server\r\n'),
};

for (const [what, answer] of Object.entries(NO_ANSWER)) {
  test(`${what} counts as no answer, and is not waited for`, { timeout: 60_000 }, async (t) => {
    const transport = await raw(t, answer);
    await assert.rejects(transport.request('POST', '/api/v1/runs', '{}'), Error);
    // The next request is not held up by it.
    await assert.rejects(transport.request('GET', '/metrics'), Error);
  });
}

test('an interim answer is not taken for the answer', async (t) => {
  const transport = await raw(t, (socket) =>
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}'),
  );
  assert.equal((await transport.request('POST', '/', '{}')).status, 201);
});

for (const [status, body] of [
  [200, { status: 'created', event_id: 'run', run_id: 'run' }],
  [422, { detail: 'no' }],
  [413, { detail: 'no' }],
] as const) {
  test(`${status} with the service's words under another content type is no answer of the service`, async (t) => {
    const service = await fakeService(t);
    service.script = () => ({ status, headers: { 'Content-Type': 'text/html' }, body });
    const { client, spool } = aClient(t, { apiUrl: service.url });
    client.startRun('agent', 'job', { run_id: 'run', event_id: 'run' });
    await client.close();
    const { delivered, rejected, failed_attempts, waiting } = (await client.getStats()).delivery;
    assert.deepEqual({ delivered, rejected, waiting }, { delivered: 0, rejected: 0, waiting: 1 });
    assert.ok(failed_attempts > 0);
    assert.equal(linesIn(spool).length, 1);
    service.script = () => undefined;
    assert.equal(await client.flush(), true);
    assert.equal(service.store.runs.size, 1);
  });
}
