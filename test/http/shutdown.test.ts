import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { create, foreignConnection, pathOf, rawConnection, rowOf, RUNS } from '../support/http.ts';
import { aRun, type Service, startService } from '../support/service.ts';

const refused = (error: unknown): boolean => (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED';

/** Resolves when the next call of the method has been made; the call itself goes on as ever. */
function called<T extends object>(t: TestContext, object: T, name: keyof T & string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const original = object[name] as (...args: unknown[]) => unknown;
  const method = (...args: unknown[]): unknown => {
    resolve();
    return original.apply(object, args);
  };
  t.mock.method(object, name as never, method as never);
  return promise;
}

test('a run that was taken is stored and answered while the service goes down', async (t) => {
  const service = await startService(t);
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN IMMEDIATE');
  const run = aRun();
  const taken = called(t, service.platform.writer, 'send');
  const answer = service.request('POST', RUNS, run);
  await taken;
  const closed = service.close();
  await assert.rejects(service.request('GET', '/health'), refused);
  foreign.exec('ROLLBACK');
  const { status, body, headers } = await answer;
  assert.equal(status, 201);
  assert.deepEqual(body, { status: 'created', event_id: run.event_id, run_id: run.run_id });
  assert.equal(headers.get('connection'), 'close');
  await closed;
  assert.equal(rowOf(t, service, run.event_id)?.event_id, run.event_id);
});

test('a query that was taken is answered while the service goes down', async (t) => {
  const service = await startService(t);
  const { event_id } = await create(service);
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN EXCLUSIVE');
  const taken = called(t, service.platform.readers, 'ask');
  const answer = service.request('GET', pathOf(event_id));
  await taken;
  const closed = service.close();
  foreign.exec('ROLLBACK');
  const { status, headers } = await answer;
  assert.deepEqual([status, headers.get('connection')], [200, 'close']);
  await closed;
});

test('everything that was taken at once is stored', async (t) => {
  const service = await startService(t);
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN IMMEDIATE');
  const runs = Array.from({ length: 20 }, () => aRun());
  let count = 0;
  const { promise: allTaken, resolve } = Promise.withResolvers<void>();
  const { writer } = service.platform;
  const send = writer.send.bind(writer);
  t.mock.method(writer, 'send', (...args: Parameters<typeof send>) => {
    if (++count === runs.length) resolve();
    return send(...args);
  });
  const answers = runs.map((run) => service.request('POST', RUNS, run));
  await allTaken;
  const closed = service.close();
  foreign.exec('ROLLBACK');
  assert.deepEqual(new Set((await Promise.all(answers)).map(({ status }) => status)), new Set([201]));
  await closed;
  for (const { event_id } of runs) assert.ok(rowOf(t, service, event_id));
});

test('a connection kept alive after its answer does not hold the service up', { timeout: 6_000 }, async (t) => {
  const service = await startService(t);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const asked = request(`${service.url}/health`, { agent }).end();
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  await once(response, 'end');
  await service.close();
});

// Browsers open such connections in advance. The limit of this test lies before the forced end.
test('a connection on which nothing was ever sent does not hold the service up', { timeout: 6_000 }, async (t) => {
  const service = await startService(t);
  await rawConnection(t, service);
  await service.request('GET', '/health');
  await service.close();
});

test('a request that never ends is cut when its time is up', async (t) => {
  const service = await startService(t, { TELEMETRY_SHUTDOWN_TIMEOUT_MS: '100' });
  const connection = await rawConnection(t, service);
  connection.socket.write(`POST ${RUNS} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n{`);
  await connection.receive('100 Continue');
  await service.close();
  const text = await connection.closed;
  assert.equal(/ 20\d /.test(text), false, text);
});

test('closing twice is closing once, and the database opens again', async (t) => {
  const service: Service = await startService(t);
  const { event_id } = await create(service);
  await Promise.all([service.close(), service.close()]);
  const again = await startService(t, {}, service.directory);
  assert.equal((await again.request('GET', pathOf(event_id))).status, 200);
});
