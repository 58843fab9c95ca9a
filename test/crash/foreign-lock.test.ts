import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { aRun, temporaryDirectory } from '../support/service.ts';
import { countRuns, startProcess } from './process.ts';

// The lock outlasts every test: a service that waits for it does not end in time.
const SETTINGS = { TELEMETRY_DB_BUSY_TIMEOUT_MS: '600000', TELEMETRY_SHUTDOWN_TIMEOUT_MS: '600000' };

test('a second signal ends a service whose threads all wait for a foreign lock', { timeout: 20_000 }, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t), SETTINGS);
  const foreign = new Database(service.path);
  t.after(() => foreign.close());
  foreign.exec('BEGIN EXCLUSIVE');
  const asked = Promise.allSettled([
    service.request('POST', '/api/v1/runs', aRun()),
    service.request('GET', '/api/v1/runs'),
    service.request('GET', '/metrics'),
  ]);
  // On another connection: by its answer the service has taken what came before.
  assert.equal((await service.request('GET', '/health')).status, 200);
  service.child.kill('SIGTERM');
  await service.said('Stopping on SIGTERM');
  service.child.kill('SIGTERM');
  const { code, signal } = await service.ended;
  assert.deepEqual([code, signal], [1, null]);
  assert.equal(foreign.inTransaction, true);
  for (const { status } of await asked) assert.equal(status, 'rejected');
  foreign.exec('ROLLBACK');
  assert.equal(countRuns(service.path), 0);
});
