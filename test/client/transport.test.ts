import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { HttpTransport, retryAfter } from '../../src/client/transport.ts';
import { aClient, spoolNames } from '../support/client.ts';
import { type FakeService, fakeService } from '../support/fake-service.ts';
import { startService } from '../support/service.ts';

async function connected(
  t: TestContext,
  options: { token?: string; timeoutMs?: number } = {},
): Promise<{ service: FakeService; transport: HttpTransport }> {
  const service = await fakeService(t);
  const transport = new HttpTransport({ url: service.url, token: undefined, timeoutMs: 5_000, ...options });
  t.after(() => transport.close());
  return { service, transport };
}

test('method, path, body and token go out; status, JSON and Retry-After come back', async (t) => {
  const { service, transport } = await connected(t, { token: 'secret' });
  service.script = () => ({ status: 429, headers: { 'Retry-After': '7' }, body: { detail: 'ü' } });
  const answer = await transport.request('PATCH', '/api/v1/runs/1?x=y', '{"a":"😀"}');
  assert.deepEqual(answer, { status: 429, retryAfterMs: 7_000, body: { detail: 'ü' } });
  const [{ method, path, text, headers } = { headers: {} as Record<string, string> }] = service.received;
  assert.deepEqual([method, path, text], ['PATCH', '/api/v1/runs/1?x=y', '{"a":"😀"}']);
  assert.deepEqual(
    [headers.authorization, headers['content-type'], headers['content-length']],
    ['Bearer secret', 'application/json', '12'],
  );
});

test('what is no JSON comes back as no body', async (t) => {
  const { service, transport } = await connected(t);
  service.script = () => ({ status: 200, body: '<html>' });
  assert.deepEqual(await transport.request('GET', '/'), { status: 200, retryAfterMs: undefined, body: undefined });
});

test('an answer with NaN, as a Python service writes it, is understood', async (t) => {
  const { service, transport } = await connected(t);
  service.script = () => ({ status: 200, body: '[{"metrics_json":{"l":NaN,"t":"NaN"}}]' });
  const { body } = await transport.request('GET', '/');
  assert.deepEqual(body, [{ metrics_json: { l: null, t: 'NaN' } }]);
});

test('one connection serves one request after the other', async (t) => {
  const { service, transport } = await connected(t);
  const ports = new Set<string | undefined>();
  service.script = ({ headers }) => ({ status: 200, body: { connection: headers.connection } });
  for (let n = 0; n < 5; n++) {
    await transport.request('GET', '/');
    ports.add(service.received.at(-1)?.headers.connection);
  }
  assert.deepEqual([...ports], ['keep-alive']);
  assert.equal(service.connections, 1);
});

test('an idle connection that the service has closed is no failure: the request goes out once more', async (t) => {
  const { service, transport } = await connected(t);
  service.script = (_received, count) => (count === 2 ? 'cut' : { status: 200, body: {} });
  await transport.request('GET', '/first');
  const answer = await transport.request('POST', '/second', '{}');
  assert.equal(answer.status, 200);
  assert.deepEqual(
    service.received.map(({ path }) => path),
    ['/first', '/second', '/second'],
  );
});

test('a first connection that breaks, a service that hangs and a closed port are failures', async (t) => {
  const { service, transport } = await connected(t, { timeoutMs: 50 });
  service.script = () => 'cut';
  await assert.rejects(transport.request('GET', '/'));
  service.script = () => 'hang';
  await assert.rejects(transport.request('GET', '/'), /no answer within 50 ms/);
  const nobody = new HttpTransport({ url: 'http://127.0.0.1:1', token: undefined, timeoutMs: 5_000 });
  await assert.rejects(nobody.request('GET', '/'), { code: 'ECONNREFUSED' });
});

test('Retry-After is understood as seconds and as a date, and bounded', () => {
  const now = Date.parse('2026-01-10T12:00:00Z');
  const waits = ['0', '120', ' 5 ', 'Sat, 10 Jan 2026 12:00:30 GMT', 'Sat, 10 Jan 2026 11:00:00 GMT', '99999999999'];
  assert.deepEqual(
    waits.map((header) => retryAfter(header, now)),
    [0, 120_000, 5_000, 30_000, 0, 300_000],
  );
  assert.deepEqual([retryAfter(undefined), retryAfter('soon'), retryAfter('')], [undefined, undefined, undefined]);
});

test('a wrong token loses nothing: with the right one all is delivered', async (t) => {
  const service = await startService(t, { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: 'right' });
  const wrong = aClient(t, { apiUrl: service.url, token: 'wrong' });
  wrong.client.endRun(wrong.client.startRun('agent', 'job'));
  assert.equal(await wrong.client.flush(100), false);
  assert.match(String((await wrong.client.getStats()).delivery.last_error), /^401 Invalid authentication token/);
  await wrong.client.close();
  assert.equal(spoolNames(wrong.spool, '.sealed').length, 1);
  const right = aClient(t, { apiUrl: service.url, token: 'right' });
  right.client.startRun('agent', 'job');
  assert.equal(await right.client.flush(), true);
});

test('a client and a service that share a spool store each run once, in its last state, and leave nothing', async (t) => {
  const service = await startService(t);
  const { client, spool } = aClient(t, { apiUrl: service.url, bufferMaxSizeMb: 0.01 }, service.directory);
  for (let n = 0; n < 300; n++) {
    const run = client.startRun('agent', 'job', { event_id: `shared-${n}` });
    if (n % 50 === 0) await client.flush();
    client.endRun(run, 'partial', { items_discovered: n });
  }
  assert.equal(await client.flush(), true);
  assert.deepEqual(spoolNames(spool), []);
  const { body } = await service.request('GET', '/api/v1/runs?limit=1000');
  const runs = body as Record<string, unknown>[];
  assert.equal(runs.length, 300);
  for (const { event_id, status, items_discovered } of runs) {
    assert.deepEqual([status, items_discovered], ['partial', Number(String(event_id).split('-')[1])]);
  }
});
