import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { foreignConnection, serviceOfFile } from '../support/http.ts';
import { startService } from '../support/service.ts';

const shared = serviceOfFile();

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

test('a healthy service says what it runs on', async () => {
  const service = shared();
  const answer = await service.request('GET', '/health');
  assert.equal(answer.status, 200);
  const pragmas = { journal_mode: 'DELETE', synchronous: 'FULL' };
  assert.deepEqual(answer.body, { status: 'ok', version, db_path: service.path, ...pragmas });
});

test('the pragmas are those of the database that is open', async (t) => {
  const service = await startService(t, { TELEMETRY_DB_JOURNAL_MODE: 'WAL', TELEMETRY_DB_SYNCHRONOUS: 'EXTRA' });
  const { body } = await service.request('GET', '/health');
  const { journal_mode, synchronous } = body as Record<string, string>;
  assert.deepEqual([journal_mode, synchronous], ['WAL', 'EXTRA']);
});

test('health answers while the database is locked, for it touches none', async (t) => {
  const service = shared();
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN EXCLUSIVE');
  assert.equal((await service.request('GET', '/health')).status, 200);
  foreign.exec('ROLLBACK');
});

test('a writer that has been down for 5 s makes the service unavailable', async (t) => {
  const service = shared();
  let downForMs = 4_999;
  t.mock.getter(service.platform.writer, 'downForMs', () => downForMs);
  assert.equal((await service.request('GET', '/health')).status, 200);
  downForMs = 5_000;
  const answer = await service.request('GET', '/health');
  assert.equal(answer.status, 503);
  const pragmas = { journal_mode: 'DELETE', synchronous: 'FULL' };
  assert.deepEqual(answer.body, { status: 'unavailable', version, db_path: service.path, ...pragmas });
  downForMs = 0;
  assert.equal((await service.request('GET', '/health')).status, 200);
});
