import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListTask } from '../../../src/actors/protocol.ts';
import { aRun, startService } from '../../support/service.ts';

const LONG: ListTask = { filter: { run_id_contains: 'no such run' }, limit: 100, offset: 0 };

test('a reader thread that fails outside a query is logged and replaced, and the process goes on', async (t) => {
  const { platform, request, logged } = await startService(t, { TELEMETRY_READERS: '2' });
  for (const [index, thread] of [...platform.readers.threads].entries()) {
    // What the runtime does with an uncaught error of the thread.
    thread.emit('error', new Error(`outside of any query ${index}`));
    const line = await logged(/^A reader thread failed: .*outside of any query/, index + 1);
    assert.deepEqual([line.level, line.error_type], ['ERROR', 'ReaderDeath']);
  }
  assert.equal((await request('POST', '/api/v1/runs', aRun())).status, 201);
  assert.equal(((await request('GET', '/api/v1/runs')).body as unknown[]).length, 1);
});

test('a quick query does not wait for all the long lists that came before it', async (t) => {
  const { platform } = await startService(t, { TELEMETRY_READERS: '1' });
  const order: string[] = [];
  const lists = Array.from({ length: 10 }, (_, n) =>
    platform.readers.list({ ...LONG, sliceMs: 0 }).then(() => order.push(`list ${n}`)),
  );
  const quick = platform.readers.ask('metadata', {}).then(() => order.push('metadata'));
  await Promise.all([...lists, quick]);
  assert.equal(order.length, 11);
  assert.ok(order.indexOf('metadata') <= 1, order.join());
});

test('long lists have a bound of their own, beyond which they are refused as busy', async (t) => {
  const { platform } = await startService(t, { TELEMETRY_READERS: '1', TELEMETRY_READER_MAX_QUEUE: '3' });
  const lists = await Promise.allSettled(Array.from({ length: 10 }, () => platform.readers.list(LONG)));
  const refused = lists.filter((outcome) => outcome.status === 'rejected');
  assert.equal(refused.length, 7);
  for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'busy');
  assert.equal((await platform.readers.list(LONG)).count, 0, 'their places are free again');
});
