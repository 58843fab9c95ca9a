import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignConnection, serviceOfFile, until } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile({ TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: 'secret' });

test('a service that stores and reads is ready, and says so without a token', async () => {
  const answer = await service().request('GET', '/readyz');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { status: 'ready' });
});

test('a service that is not ready gives every reason', async (t) => {
  const { writer, readers } = service().platform;
  t.mock.getter(writer, 'downForMs', () => 1);
  t.mock.getter(writer, 'committingMs', () => 2_600);
  t.mock.method(readers, 'trouble', () => Promise.resolve('no query was answered within 1 s'));
  writer.figures.failed('The disk of the database is full. Free space there, then send this again.');
  const answer = await service().request('GET', '/readyz');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.deepEqual(answer.body, {
    status: 'not ready',
    reasons: [
      'The writer is not running. It is started again by itself; the log says why.',
      "A commit has been waiting for 3 s: for another program's lock, or the disk.",
      'The last commit failed: The disk of the database is full. Free space there, then send this again.',
      'The database cannot be read: no query was answered within 1 s',
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

test("a commit that waits for another program's lock is told while it waits", async (t) => {
  const { path, platform } = service();
  const foreign = foreignConnection(t, path);
  foreign.exec('BEGIN IMMEDIATE');
  const { writer } = platform;
  assert.equal(writer.committingMs, 0);
  const stored = writer.send('create', {}, Buffer.from(JSON.stringify(aRun())));
  await until(() => writer.committingMs > 0);
  foreign.exec('ROLLBACK');
  await stored;
  assert.equal(writer.committingMs, 0);
});
