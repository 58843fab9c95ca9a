import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceOfFile } from '../support/http.ts';

const service = serviceOfFile({ TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: 'secret' });

test('a service that stores and reads is ready, and says so without a token', async () => {
  const answer = await service().request('GET', '/readyz');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { status: 'ready' });
});

test('a service that is not ready gives every reason', async (t) => {
  const { writer, readers } = service().platform;
  t.mock.getter(writer, 'downForMs', () => 1);
  t.mock.getter(writer, 'mailbox', () => ({ full: true }));
  t.mock.method(readers, 'ask', () => Promise.reject(new Error('Too many queries are waiting. Send this again.')));
  writer.figures.failed('The disk of the database is full. Free space there, then send this again.');
  const answer = await service().request('GET', '/readyz');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.deepEqual(answer.body, {
    status: 'not ready',
    reasons: [
      'The writer is not running. It is started again by itself; the log says why.',
      'More waits for the writer than it takes. Send less at once, or wait.',
      'The last commit failed: The disk of the database is full. Free space there, then send this again.',
      'The database cannot be read: Too many queries are waiting. Send this again.',
    ],
  });
});

test('a failed commit makes it unready for 10 s only, for without requests nothing would try again', async () => {
  const { figures } = service().platform.writer;
  figures.failed('once', Date.now() - 9_000);
  assert.equal((await service().request('GET', '/readyz')).status, 503);
  figures.failed('once', Date.now() - 10_001);
  assert.equal((await service().request('GET', '/readyz')).status, 200);
});
