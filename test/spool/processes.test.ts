import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openToVerify, startService, temporaryDirectory } from '../support/service.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const WRITER = fileURLToPath(new URL('../support/spool-writer.ts', import.meta.url));
const RUNS = 5_000;

test('two processes that append to one directory while it is drained lose nothing and tear nothing', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const service = await startService(t, { TELEMETRY_SYNC_BATCH_SIZE: '500' }, directory);
  const clients = ['a', 'b'].map((prefix) =>
    spawn(process.execPath, [WRITER, join(spool, `${prefix}.jsonl.live`), prefix, String(RUNS)], { stdio: 'inherit' }),
  );
  const exits = await Promise.all(clients.map((client) => once(client, 'exit')));
  assert.deepEqual(exits, [
    [0, null],
    [0, null],
  ]);
  const told = await drained(service, 2 * RUNS);
  assert.equal(
    told.reduce((sum, { inserted }) => sum + Number(inserted), 0),
    2 * RUNS,
  );
  assert.deepEqual(readdirSync(spool).sort(), ['a.jsonl.live', 'b.jsonl.live'], 'nothing was rejected');
  await service.close();
  const db = openToVerify(t, service.path);
  const counts = 'SELECT agent_name, count(*), sum(length(output_summary)) FROM agent_runs GROUP BY 1 ORDER BY 1';
  const text = Array.from({ length: RUNS }, (_, n) => n % 700).reduce((sum, length) => sum + length, 0);
  assert.deepEqual(db.prepare(counts).raw().all(), [
    ['a', RUNS, text],
    ['b', RUNS, text],
  ]);
});
