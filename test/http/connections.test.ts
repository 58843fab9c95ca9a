/** More connections than there may be. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { connectionsWithin, descriptorsHere } from '../../src/http/sockets/descriptors.ts';
import { rawConnection, RUNS } from '../support/http.ts';
import {
  aRun,
  localEnvironment,
  MAIN,
  openToVerify,
  OURS,
  requester,
  startService,
  temporaryDirectory,
} from '../support/service.ts';

const BOUNDED = { timeout: 20_000 };
const STALLED = `POST ${RUNS} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{`;

async function open(t: TestContext, url: string, count: number): Promise<Socket[]> {
  const port = Number(new URL(url).port);
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

test(
  'with few descriptors and many connections that do nothing, runs are stored',
  { ...BOUNDED, skip: process.platform !== 'linux' && 'the limit on open files is read on Linux only' },
  async (t) => {
    const directory = temporaryDirectory(t);
    const child = spawn('sh', ['-c', 'ulimit -n 128; exec "$0" "$@"', process.execPath, MAIN, 'serve'], {
      env: { ...OURS, ...localEnvironment(directory), TELEMETRY_MAX_CONNECTIONS: '100000' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    t.after(async () => {
      child.kill();
      await exited;
    });
    let url = '';
    let warned = '';
    for await (const line of createInterface({ input: child.stdout })) {
      warned ||= /TELEMETRY_MAX_CONNECTIONS is 100000, but the limit on open files leaves \d+/.exec(line)?.[0] ?? '';
      url = /"url": "([^"]+)"/.exec(line)?.[1] ?? '';
      if (url !== '') break;
    }
    assert.notEqual(warned, '');
    child.stdout.resume();
    const request = requester(url);
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) {
      await open(t, url, 100);
      for (let count = 0; count < 10; count++) {
        // As a client does that finds its idle connection closed.
        const answer = await request('POST', RUNS, aRun()).catch(() => request('POST', RUNS, aRun()));
        statuses.push(answer.status);
      }
    }
    assert.deepEqual(new Set(statuses), new Set([201]));
    const db = openToVerify(t, `${directory}/db/telemetry.sqlite`);
    assert.ok((db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number) >= 30);
  },
);

test('beyond the bound the connection that has been idle for longest makes room', BOUNDED, async (t) => {
  const service = await startService(t, { TELEMETRY_MAX_CONNECTIONS: '8' });
  const first = await rawConnection(t, service);
  const others = await open(t, service.url, 7);
  others[0]?.write(STALLED);
  const last = await rawConnection(t, service);
  assert.equal(await first.closed, '');
  last.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await last.receive('"status":"ok"');
  assert.deepEqual(
    others.map((socket) => socket.closed),
    Array(7).fill(false),
  );
});

test('where every connection is at work, one more is told so and closed', BOUNDED, async (t) => {
  const service = await startService(t, { TELEMETRY_MAX_CONNECTIONS: '8' });
  const busy = await Promise.all(Array.from({ length: 8 }, () => rawConnection(t, service)));
  for (const each of busy) {
    each.socket.write(STALLED.replace('Content-Length', 'Expect: 100-continue\r\nContent-Length'));
    await each.receive('100 Continue');
  }
  const refused = await rawConnection(t, service);
  refused.socket.end(`GET ${RUNS} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const text = await refused.closed;
  assert.match(text, /^HTTP\/1\.1 503 Service Unavailable\r\nConnection: close\r\n/);
  assert.match(text, /\r\nRetry-After: 1\r\n/);
  assert.ok(text.endsWith('{"detail":"All connections are at work. Send this again."}'), text);
  assert.equal(service.platform.writer.mailbox.depth, 0);
  for (const { socket } of busy) socket.destroy();
  await Promise.all(busy.map(({ closed }) => closed));
});

test('the bound leaves descriptors for the database, and is what was asked for where there are enough', () => {
  const few = { limit: 128, open: 50 };
  assert.equal(connectionsWithin(undefined, few), 30);
  assert.equal(connectionsWithin(20, few), 20);
  assert.equal(connectionsWithin(1_000, few), 30);
  assert.equal(connectionsWithin(undefined, { limit: 60, open: 50 }), 8);
  assert.equal(connectionsWithin(undefined, { limit: Infinity, open: 50 }), 2_000);
  assert.equal(connectionsWithin(5_000, { limit: 1_048_576, open: 50 }), 5_000);
});

test('the limit and what is open are read from the system', { skip: process.platform !== 'linux' }, () => {
  const found = descriptorsHere();
  assert.ok(found && found.open > 3 && found.limit > found.open, JSON.stringify(found));
});
