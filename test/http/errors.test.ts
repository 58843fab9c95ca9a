import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, TelemetryError } from '../../src/errors.ts';
import { replyOf } from '../../src/http/errors.ts';
import { assertError, BATCH, pathOf, rawConnection, RUNS, serviceOfFile } from '../support/http.ts';
import { aRun, startService } from '../support/service.ts';

const service = serviceOfFile();

for (const path of [
  '/',
  '/api',
  '/api/v1',
  '/api/v1/run',
  '/api/v1/runs/x/y',
  '/api/v1/runs/x/commit-url/z',
  '/healthz',
]) {
  test(`${path} is no route: every method answers 404`, async () => {
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']) {
      assertError(await service().request(method, path), 404, 'Not Found');
    }
  });
}

for (const [path, allowed, methods] of [
  ['/health', ['GET'], ['POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']],
  ['/metrics', ['GET'], ['POST', 'DELETE']],
  ['/api/v1/metadata', ['GET'], ['POST', 'PUT']],
  [RUNS, ['GET', 'POST'], ['PATCH', 'DELETE', 'PUT', 'OPTIONS']],
  [`${RUNS}?limit=1`, ['GET', 'POST'], ['DELETE']],
  [pathOf('x'), ['GET', 'PATCH'], ['POST', 'DELETE', 'PUT']],
  [pathOf('x', '/associate-commit'), ['POST'], ['GET', 'PATCH', 'DELETE']],
  [pathOf('x', '/commit-url'), ['GET'], ['POST']],
  [pathOf('x', '/repo-url'), ['GET'], ['PATCH']],
] as const) {
  test(`another method on ${path} answers 405 and names those allowed`, async () => {
    for (const method of methods) {
      const answer = await service().request(method, path);
      assertError(answer, 405, 'Method Not Allowed');
      const allow = answer.headers
        .get('allow')
        ?.split(', ')
        .filter((name) => name !== 'HEAD');
      assert.deepEqual(allow?.sort(), [...allowed], `${method} ${path}`);
    }
  });
}

const STATUSES: Record<ErrorCode, number> = {
  bad_request: 400,
  not_found: 404,
  too_large: 413,
  invalid: 422,
  busy: 503,
  unavailable: 503,
  refused: 503,
  full: 507,
  damaged: 500,
  internal: 500,
};

for (const [code, status] of Object.entries(STATUSES)) {
  test(`the error "${code}" answers ${status}${status === 503 ? ' and when to come again' : ''}`, () => {
    const reply = replyOf(new TelemetryError(code as ErrorCode, 'what and why'));
    const detail = code === 'internal' ? 'Internal Server Error' : 'what and why';
    assert.deepEqual([reply.status, reply.body], [status, { detail }]);
    assert.deepEqual(reply.headers, status === 503 ? { 'Retry-After': '1' } : undefined);
  });
}

test('an error nobody foresaw shows nothing of itself, and is logged', async (t) => {
  const own = await startService(t);
  t.mock.method(own.platform.readers, 'ask', () => Promise.reject(new TypeError('secret of the house')));
  assertError(await own.request('GET', pathOf('x')), 500, 'Internal Server Error');
  const line = own.logs.find(({ level }) => level === 'ERROR');
  assert.equal(line?.message, 'Error in /api/v1/runs/{event_id}: secret of the house');
  assert.deepEqual([line.error_type, line.error_message], ['TypeError', 'secret of the house']);
});

test('a full disk answers 507 while reads go on', async (t) => {
  const own = await startService(t);
  const full = new TelemetryError('full', 'The disk is full.');
  t.mock.method(own.platform.writer, 'send', () => Promise.reject(full));
  for (const [method, path] of [
    ['POST', RUNS],
    ['POST', BATCH],
    ['PATCH', pathOf('x')],
    ['POST', pathOf('x', '/associate-commit')],
  ] as const) {
    assertError(await own.request(method, path, aRun()), 507, 'The disk is full.');
  }
  assert.equal((await own.request('GET', RUNS)).status, 200);
});

test('what is not HTTP is refused, and the service goes on', async (t) => {
  for (const [text, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nno colon\r\n\r\n', 400],
    [`GET /health HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ] as const) {
    const connection = await rawConnection(t, service());
    connection.socket.write(text);
    assert.match(await connection.closed, new RegExp(`^HTTP/1\\.1 ${status} `), text.slice(0, 40));
  }
  assert.equal((await service().request('GET', '/health')).status, 200);
});
