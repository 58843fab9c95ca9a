/** What clients see while the service is away or breaks off, and what nginx sends a second time. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { aRun } from '../support/service.ts';
import { check, startService, stop } from './checks.ts';
import type { Client } from './requests.ts';

const RUNS = '/api/v1/runs';
const RESTARTS = 3;
/** Runs acknowledged before each of them, at least. */
const STORED_BETWEEN = 100;

/** @param first the service as it runs @returns the last one, as it runs */
export async function checkRestarts(
  client: Client,
  port: number,
  settings: Record<string, string>,
  first: ChildProcess,
): Promise<ChildProcess> {
  let service = first;
  await check('the service away: 502 as JSON; back again: it works at once, and what was stored is there', async () => {
    const run = aRun();
    assert.equal((await client.send('POST', RUNS, { body: run })).status, 201);
    assert.equal(await stop(service), 0);
    const away = await client.send('GET', '/health');
    assert.equal(away.status, 502);
    assert.match((away.json() as { detail: string }).detail, /does not answer\. Send this again\./);
    service = await startService(port, settings);
    assert.equal((await client.send('GET', `${RUNS}/${run.event_id}`)).status, 200);
  });
  await check(
    'restarts under load: nothing but 502 and 503 in between, and every acknowledged run is stored',
    async () => {
      const acknowledged: string[] = [];
      const others: number[] = [];
      let done = false;
      let enough: (() => void) | undefined;
      const load = (async (): Promise<void> => {
        while (!done) {
          const run = aRun();
          const { status } = await client.send('POST', RUNS, { body: run });
          if (status === 201 || status === 200) acknowledged.push(run.event_id);
          else others.push(status);
          if (acknowledged.length % STORED_BETWEEN === 0) enough?.();
        }
      })();
      for (let time = 0; time < RESTARTS; time++) {
        const stored = new Promise<void>((resolve) => (enough = resolve));
        // Should the load fail, its error ends the check.
        await Promise.race([load, stored]);
        assert.equal(await stop(service), 0);
        service = await startService(port, settings);
      }
      done = true;
      await load;
      assert.ok(acknowledged.length >= STORED_BETWEEN * RESTARTS, `only ${acknowledged.length} were acknowledged`);
      assert.deepEqual(
        others.filter((status) => status !== 502 && status !== 503),
        [],
      );
      for (const id of acknowledged) assert.equal((await client.send('GET', `${RUNS}/${id}`)).status, 200, id);
      return `${acknowledged.length} acknowledged, ${others.length} refused`;
    },
  );
  return service;
}

/** In the place of the service, one that breaks off the second request of every connection. */
export async function checkRepeats(client: Client, port: number): Promise<void> {
  const received: string[] = [];
  const server = breaking(received);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    await check('a POST of runs whose connection broke is sent once more', async () => {
      for (const path of [RUNS, `${RUNS}/batch`]) {
        assert.equal(await afterWarming(client, received, 'POST', path), 200);
        assert.deepEqual(received, [`POST ${path}`, `POST ${path}`]);
      }
    });
    await check('a PATCH, or a POST to another route, whose connection broke is not: 502', async () => {
      for (const [method, path] of [
        ['PATCH', `${RUNS}/some-id`],
        ['POST', `${RUNS}/some-id/associate-commit`],
      ] as const) {
        assert.equal(await afterWarming(client, received, method, path), 502);
        assert.deepEqual(received, [`${method} ${path}`]);
      }
    });
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

/** Sends a request over a connection that has served one already. @returns its status */
async function afterWarming(client: Client, received: string[], method: string, path: string): Promise<number> {
  assert.equal((await client.send('GET', '/warm')).status, 200);
  received.length = 0;
  return (await client.send(method, path, { body: {} })).status;
}

function breaking(received: string[]): Server {
  const served = new WeakSet<Socket>();
  return createServer((request: IncomingMessage, response) => {
    const { socket, method, url } = request;
    request.resume();
    request.once('end', () => {
      received.push(`${method} ${url}`);
      if (served.has(socket)) return void socket.destroy();
      served.add(socket);
      response.setHeader('Content-Type', 'application/json');
      response.end('{}');
    });
  });
}
