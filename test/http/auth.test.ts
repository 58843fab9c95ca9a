import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../src/http/routes.ts';
import { assertError, pathOf, RUNS, serviceOfFile, storedRuns } from '../support/http.ts';
import { type Answer, aRun, startService } from '../support/service.ts';

const TOKEN = 'correct-horse-battery-staple';
const service = serviceOfFile({ TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: TOKEN });

const REQUIRED = 'Authorization header required. Use: Authorization: Bearer <token>';
const FORMAT = 'Invalid authorization format. Use: Authorization: Bearer <token>';
const INVALID = 'Invalid authentication token';

function assertUnauthorized(answer: Answer, message: string): void {
  assertError(answer, 401, message);
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
}

const bearing = (authorization: string): Record<string, string> => ({ Authorization: authorization });

for (const { method, path } of ROUTES.filter((route) => !route.open)) {
  test(`${method} ${path} wants the token`, async () => {
    const asked = path.replace(':event_id', 'nobody');
    const body = method === 'GET' ? undefined : '{}';
    assertUnauthorized(await service().request(method, asked, body), REQUIRED);
    const answer = await service().request(method, asked, body, bearing(`Bearer ${TOKEN}`));
    assert.notEqual(answer.status, 401);
  });
}

test('what probes and browsers ask is open, and nothing else', async () => {
  const open = ROUTES.filter((route) => route.open).map(({ path }) => path);
  assert.deepEqual(
    open.filter((path) => !path.startsWith('/docs')),
    ['/health', '/readyz', '/openapi.json', '/redoc'],
  );
  assert.equal((await service().request('GET', '/health')).status, 200);
  assert.equal((await service().request('GET', '/health', undefined, bearing('nonsense'))).status, 200);
});

test('another form than Bearer and one token is refused', async () => {
  for (const header of ['Bearer', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN} more`, `Token token=${TOKEN}`]) {
    assertUnauthorized(await service().request('GET', RUNS, undefined, bearing(header)), FORMAT);
  }
});

test('another token is refused, however near it is', async () => {
  for (const token of [TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), 'x', 'null', 'undefined']) {
    assertUnauthorized(await service().request('GET', RUNS, undefined, bearing(`Bearer ${token}`)), INVALID);
  }
});

test('the scheme may be written in any case', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    assert.equal((await service().request('GET', RUNS, undefined, bearing(`${scheme} ${TOKEN}`))).status, 200);
  }
});

test('nothing is stored without the token', async (t) => {
  const run = aRun();
  assertUnauthorized(await service().request('POST', RUNS, run), REQUIRED);
  assertUnauthorized(await service().request('POST', RUNS, run, bearing('Bearer wrong')), INVALID);
  assert.equal(storedRuns(t, service()), 0);
  assert.equal((await service().request('POST', RUNS, run, bearing(`Bearer ${TOKEN}`))).status, 201);
  assert.equal(storedRuns(t, service()), 1);
});

test('a wrong body and an unknown run do not show without the token', async () => {
  assertUnauthorized(await service().request('POST', RUNS, '{'), REQUIRED);
  assertUnauthorized(await service().request('GET', pathOf('nobody')), REQUIRED);
});

test('the token is in no log line', async () => {
  await service().request('GET', RUNS, undefined, bearing(`Bearer ${TOKEN}`));
  await service().request('GET', RUNS, undefined, bearing(`Bearer ${TOKEN}x`));
  assert.ok(service().logs.some(({ message }) => message === 'Query executed'));
  assert.equal(JSON.stringify(service().logs).includes(TOKEN), false);
});

test('without authentication switched on a token is neither wanted nor looked at', async (t) => {
  const open = await startService(t, { TELEMETRY_API_AUTH_TOKEN: TOKEN });
  assert.equal((await open.request('GET', RUNS)).status, 200);
  assert.equal((await open.request('GET', RUNS, undefined, bearing('Bearer wrong'))).status, 200);
});
