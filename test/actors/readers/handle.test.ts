import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { aRun, startService } from '../../support/service.ts';

test('a reader thread that dies is replaced, and reads and writes go on', async (t) => {
  const { platform, request } = await startService(t, { TELEMETRY_READERS: '2' });
  await request('POST', '/api/v1/runs', aRun());
  for (const thread of platform.readers.threads) {
    const exited = once(thread, 'exit');
    await thread.terminate();
    await exited;
  }
  await request('POST', '/api/v1/runs', aRun());
  const { status, body } = await request('GET', '/api/v1/runs');
  assert.equal(status, 200);
  assert.equal((body as unknown[]).length, 2);
});

test('more readers die than the gate has slots, and a new one still finds a slot', async (t) => {
  const { platform, request } = await startService(t, { TELEMETRY_READERS: '1' });
  for (let death = 0; death < 20; death++) {
    const [thread] = platform.readers.threads;
    assert.ok(thread);
    await request('GET', '/metrics');
    await thread.terminate();
  }
  assert.equal((await request('GET', '/metrics')).status, 200);
});

test('queries beyond the bounded queue are refused with 503 while the others are answered', async (t) => {
  const { platform } = await startService(t, { TELEMETRY_READERS: '1', TELEMETRY_READER_MAX_QUEUE: '5' });
  const asked = Array.from({ length: 50 }, () => platform.readers.ask('metadata', {}));
  const outcomes = await Promise.allSettled(asked);
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 50);
  for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'busy');
});

test('a list that walks long is answered in slices, and other queries pass in between', async (t) => {
  const { platform, request } = await startService(t, { TELEMETRY_READERS: '1' });
  for (let batch = 0; batch < 3; batch++) {
    const runs = Array.from({ length: 5_000 }, (_, n) => ({
      ...aRun(),
      output_summary: 'x'.repeat(200),
      items_failed: n,
    }));
    assert.equal((await request('POST', '/api/v1/runs/batch', runs)).status, 200);
  }
  const walking = platform.readers.list({
    filter: { run_id_contains: 'no such run' },
    limit: 100,
    offset: 0,
    sliceMs: 0,
  });
  const order: string[] = [];
  const list = walking.then((page) => order.push(`list of ${page.count}`));
  const quick = platform.readers.ask('metadata', {}).then(() => order.push('metadata'));
  await Promise.all([list, quick]);
  assert.deepEqual(order, ['metadata', 'list of 0']);
});
