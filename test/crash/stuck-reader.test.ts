import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { aRun, temporaryDirectory } from '../support/service.ts';
import { BOUNDED, startProcess } from './process.ts';

/** A foreign program's doing: whoever asks for the names of agents and job types gets no answer any more. */
const ENDLESS = `ALTER TABLE rollup_runs RENAME TO real_rollup_runs;
  CREATE VIEW rollup_runs AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT agent_name, job_type, status, runs FROM real_rollup_runs, n`;

test(
  'beside a reader that is stuck in SQLite others are read for, and SIGTERM stops the service in order',
  BOUNDED,
  async (t) => {
    const settings = { TELEMETRY_READERS: '1', TELEMETRY_READER_TIMEOUT_MS: '1000' };
    const service = await startProcess(t, temporaryDirectory(t), settings);
    const run = aRun();
    assert.equal((await service.request('POST', '/api/v1/runs', run)).status, 201);
    const foreign = new Database(service.path);
    foreign.exec(ENDLESS);
    foreign.close();
    const stuck = service.request('GET', '/api/v1/metadata');
    const behind = service.request('GET', `/api/v1/runs/${run.event_id}`);
    const { status, headers, body } = await stuck;
    assert.deepEqual([status, headers.get('retry-after')], [503, '1']);
    assert.match((body as { detail: string }).detail, /^A reader gave no sign of life for 1 s and was given up\./);
    assert.equal((await behind).status, 200, 'whoever waited behind it is answered by its successor');
    await service.said('A reader thread gave no sign of life for 1 s: it is ended, and another is started');
    assert.equal((await service.request('GET', '/health')).status, 200);
    const again = service.request('GET', '/api/v1/metadata');
    // On another connection: by its answer the service has taken what came before.
    await service.request('GET', '/health');
    service.child.kill('SIGTERM');
    await service.said('Stopped');
    assert.equal((await again).status, 503);
  },
);
