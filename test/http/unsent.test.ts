/** Replies that are asked for and not read, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { contentOf, ok, send } from '../../src/http/reply.ts';
import { Turns } from '../../src/http/sockets/turns.ts';
import { Unsent, type UnsentBounds } from '../../src/http/sockets/unsent.ts';
import { serviceOfFile } from '../support/http.ts';

const MIB = 1024 * 1024;
const BOUNDED = { timeout: 10_000 };

interface Front {
  unsent: Unsent;
  tick: (milliseconds: number) => void;
  /** A client that asks and reads nothing. @param requests sent at once */
  ask: (requests?: number) => Promise<Socket>;
  /** What the server saw of each client, in their order. */
  sockets: Socket[];
}

/** A server that answers everything with `bytes`, or 503 where they may not wait. */
async function front(t: TestContext, bytes: number, bounds: Partial<UnsentBounds>): Promise<Front> {
  let now = 0;
  const unsent = new Unsent(bounds, () => now);
  const sockets: Socket[] = [];
  const content = Buffer.alloc(bytes, 'x');
  const answered: (() => void)[] = [];
  const answer = (response: ServerResponse): void => {
    const { socket } = response.req;
    const taken = unsent.takes(socket, bytes);
    const reply = taken ? ok(content) : { status: 503, body: {} };
    const body = contentOf(reply);
    const sent = send(response, reply, body, { closing: false, onMoved: () => unsent.moved(socket) });
    if (!sent) unsent.add(socket, response, Buffer.byteLength(body));
    answered.shift()?.();
  };
  const server = createServer((_request, response) => answer(response));
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = async (requests = 1): Promise<Socket> => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined).pause();
    t.after(() => client.destroy());
    const all = Array.from({ length: requests }, () => new Promise<void>((resolve) => answered.push(resolve)));
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
    await Promise.all(all);
    return client;
  };
  return { unsent, sockets, ask, tick: (milliseconds) => void (now += milliseconds) };
}

/** All that a client has received once its connection has closed, or `bytes` have come. */
async function read(client: Socket, bytes = Infinity): Promise<number> {
  let count = 0;
  client.resume();
  for await (const part of client) if ((count += (part as Buffer).byteLength) >= bytes) break;
  return count;
}

test('a client that does not read is cut after its patience, one that reads on gets all', BOUNDED, async (t) => {
  const { unsent, ask, sockets, tick } = await front(t, 12 * MIB, { patienceMs: 60_000 });
  await ask();
  const reader = await ask();
  assert.equal(unsent.bytes, 24 * MIB);
  tick(59_999);
  unsent.look();
  assert.equal(unsent.bytes, 24 * MIB);
  const moved = t.mock.method(unsent, 'moved');
  const came = read(reader, 12 * MIB);
  while (moved.mock.callCount() === 0) await once(sockets[1] as Socket, 'drain');
  tick(1);
  unsent.look();
  assert.deepEqual([sockets[0]?.destroyed, sockets[1]?.destroyed], [true, false]);
  assert.ok((await came) >= 12 * MIB);
});

test('what waits in all is bounded, small replies find their way, and stalled ones make way', BOUNDED, async (t) => {
  const { unsent, ask, sockets, tick } = await front(t, 12 * MIB, { bytes: 25 * MIB });
  await ask();
  await ask();
  const refused = await ask();
  assert.equal(unsent.bytes, 24 * MIB);
  refused.resume();
  assert.match(String((await once(refused, 'data'))[0]), /^HTTP\/1\.1 503 /);
  assert.ok(unsent.takes(sockets[2] as Socket, 1_000));
  tick(2_000);
  await ask();
  assert.equal(unsent.bytes, 24 * MIB);
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true, false, false, false],
  );
});

test('what is pipelined on one connection is bounded together', BOUNDED, async (t) => {
  const { unsent, ask } = await front(t, 12 * MIB, { socketBytes: 30 * MIB });
  const client = await ask(40);
  assert.ok(unsent.bytes < 25 * MIB, String(unsent.bytes));
  client.destroy();
  while (unsent.bytes > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('a client that goes away gives its room back', BOUNDED, async (t) => {
  const { unsent, ask } = await front(t, 12 * MIB, {});
  const client = await ask();
  assert.equal(unsent.bytes, 12 * MIB);
  client.resetAndDestroy();
  while (unsent.bytes > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('one reply alone is taken, though it is larger than every bound', BOUNDED, async (t) => {
  const { unsent, ask } = await front(t, 12 * MIB, { bytes: MIB, socketBytes: MIB });
  assert.ok((await read(await ask(), 12 * MIB)) >= 12 * MIB);
  assert.ok(unsent.bytes <= 12 * MIB);
});

const service = serviceOfFile();

test('a large answer of the service comes whole, by GET and HEAD', async () => {
  const { status, body } = await service().request('GET', '/openapi.json');
  assert.equal(status, 200);
  const head = await service().request('HEAD', '/openapi.json');
  assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(JSON.stringify(body))));
});

test('large answers are made in turn, and not at all while too much waits to be read', BOUNDED, async () => {
  const unsent = new Unsent({ bytes: 10 * MIB });
  const turns = new Turns(unsent, { atOnce: 1, waiting: 3 });
  const socket = new Socket();
  const first = Promise.withResolvers<string>();
  const made: string[] = [];
  const make = (name: string, until: Promise<string>) => (): Promise<string> => {
    made.push(name);
    return until;
  };
  const one = turns.take(socket, make('one', first.promise));
  const two = turns.take(socket, make('two', Promise.resolve('second')));
  const three = turns.take(socket, make('three', Promise.resolve('third')));
  await assert.rejects(turns.take(socket, make('four', Promise.resolve('fourth'))), { code: 'busy' });
  assert.deepEqual(made, ['one']);
  first.resolve('first');
  assert.deepEqual(await Promise.all([one, two, three]), ['first', 'second', 'third']);
  unsent.add(new Socket(), new ServerResponse(new IncomingMessage(socket)), 9 * MIB);
  await assert.rejects(turns.take(socket, make('five', Promise.resolve('fifth'))), { code: 'busy' });
  assert.deepEqual(made, ['one', 'two', 'three']);
});
