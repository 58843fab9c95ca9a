import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallDisk } from './support/disk.ts';
import { aRun, openToVerify, startService } from './support/service.ts';

test('on a full disk posts answer 507 and lose nothing acknowledged, reads go on, and freed space is used at once', async (t) => {
  const directory = smallDisk(t);
  if (directory === undefined) return;
  const { request, path, close } = await startService(t, {}, directory);
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1024 * 1024));
  const acknowledged: string[] = [];
  let refused: unknown;
  for (let n = 0; n < 500 && refused === undefined; n++) {
    const run = aRun({ output_summary: 'x'.repeat(8_000) });
    const { status, body } = await request('POST', '/api/v1/runs', run);
    if (status === 201) acknowledged.push(run.event_id);
    else refused = { status, body };
  }
  assert.deepEqual(refused, {
    status: 507,
    body: { detail: 'The disk of the database is full. Free space there, then send this again.' },
  });
  const list = await request('GET', '/api/v1/runs?limit=1000');
  assert.equal(list.status, 200);
  assert.equal((list.body as unknown[]).length, acknowledged.length);

  rmSync(ballast);
  const after = aRun();
  assert.equal((await request('POST', '/api/v1/runs', after)).status, 201);
  acknowledged.push(after.event_id);
  const { body } = await request('GET', '/metrics');
  assert.equal((body as { total_runs: number }).total_runs, acknowledged.length);
  await close();
  const db = openToVerify(t, path);
  const stored = db.prepare('SELECT event_id FROM agent_runs ORDER BY id').pluck().all();
  assert.deepEqual(stored, acknowledged);
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  db.close();
});
