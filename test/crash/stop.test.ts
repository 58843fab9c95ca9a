import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { aRun, temporaryDirectory } from '../support/service.ts';
import { loadUntil, makePosters } from './cycle.ts';
import { Ledger } from './ledger.ts';
import { judge } from './oracle.ts';
import { BOUNDED, countRuns, startProcess } from './process.ts';

interface Taken {
  /** Sends the body; resolves with the status. */
  finish: () => Promise<number | undefined>;
  /** Resolves when the connection is gone, answered or not. */
  closed: Promise<unknown>;
}

/** A request of which the service has taken the headers: it said "100 Continue", and waits for the body. */
async function take(url: string): Promise<Taken> {
  const body = JSON.stringify(aRun());
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Expect: '100-continue' };
  const call: ClientRequest = request(`${url}/api/v1/runs`, { method: 'POST', headers });
  call.on('error', () => undefined);
  const closed = new Promise((resolve) => call.once('close', resolve));
  await once(call, 'continue');
  const finish = async (): Promise<number | undefined> => {
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(body);
    const [response] = await answered;
    response.resume();
    return response.statusCode;
  };
  return { finish, closed };
}

test('SIGTERM answers every request that was taken, commits and exits 0', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  const taken = await Promise.all(Array.from({ length: 20 }, () => take(service.url)));
  service.child.kill('SIGTERM');
  await service.said('Stopping on SIGTERM');
  const statuses = await Promise.all(taken.map(({ finish }) => finish()));
  assert.deepEqual(statuses, Array<number>(20).fill(201));
  const { code, stdout } = await service.ended;
  assert.equal(code, 0);
  assert.match(stdout, /"message": "Stopped"/);
  assert.equal(countRuns(service.path), 20);
});

test('SIGTERM under load exits 0 and everything acknowledged is there', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  const ledger = new Ledger();
  const posters = makePosters(6, 15, ledger);
  await loadUntil(service, posters, { acknowledgements: 200, delayMs: 0 }, () => service.child.kill('SIGTERM'));
  assert.equal((await service.ended).code, 0);
  const { lost, wrong } = judge(service.path, ledger);
  assert.deepEqual({ lost, wrong }, { lost: [], wrong: [] });
});

test('SIGINT stops the service like SIGTERM', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  service.child.kill('SIGINT');
  assert.equal((await service.ended).code, 0);
});

test('A second signal ends the service at once', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  await take(service.url);
  service.child.kill('SIGTERM');
  await service.said('Stopping on SIGTERM');
  service.child.kill('SIGTERM');
  assert.equal((await service.ended).code, 1);
});

test('A client that never finishes its request does not keep the service from stopping', BOUNDED, async (t) => {
  const settings = { TELEMETRY_SHUTDOWN_TIMEOUT_MS: '1000' };
  const service = await startProcess(t, temporaryDirectory(t), settings);
  const taken = await take(service.url);
  service.child.kill('SIGTERM');
  await service.said('Stopping on SIGTERM');
  assert.equal((await service.ended).code, 0);
  await taken.closed;
  assert.equal(countRuns(service.path), 0);
});
