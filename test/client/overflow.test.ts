import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aClient, linesIn, spoolNames } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';

for (const older of [false, true]) {
  for (const bufferMaxSizeMb of [10, 0.01]) {
    const to = older ? 'an older service' : 'the service';
    test(`beyond the queue runs wait on disk, and all arrive at ${to} from files of ${bufferMaxSizeMb} MB`, async (t) => {
      const { client, spool, transport, warnings } = aClient(t, { maxQueuedRuns: 10, bufferMaxSizeMb });
      transport.store.older = older;
      transport.script = BROKEN;
      const runs: string[] = [];
      for (let n = 0; n < 100; n++) {
        const run = client.startRun('agent', `job ${n}`);
        runs.push(run);
        if (n % 10 === 0) await turn();
        client.setMetrics(run, { items_discovered: n });
      }
      for (const run of runs) client.endRun(run, 'partial');
      const { delivery } = await client.getStats();
      assert.ok(delivery.waiting <= 10);
      assert.deepEqual([delivery.overflowed, delivery.lost, linesIn(spool).length], [270, 0, 300]);
      transport.script = () => undefined;
      assert.equal(await client.flush(), true);
      const stored = [...transport.store.runs.values()];
      assert.equal(stored.length, 100);
      for (const { job_type, status, items_discovered } of stored) {
        assert.deepEqual([status, items_discovered], ['partial', Number(String(job_type).split(' ')[1])]);
      }
      assert.deepEqual(spoolNames(spool), []);
      assert.equal(warnings.length, 1);
    });
  }
}

test('what is recorded while the overflow is read back is neither lost nor left behind', async (t) => {
  const { client, spool, transport } = aClient(t, { maxQueuedRuns: 5, bufferMaxSizeMb: 0.01 });
  transport.script = BROKEN;
  const runs = Array.from({ length: 60 }, (_each, n) => client.startRun('agent', `job ${n}`));
  await transport.asks(1);
  let next = 0;
  transport.script = (_asked, count) => {
    // With each request some more ends, now and then the service fails.
    for (const run of runs.slice(next, (next += 3))) client.endRun(run, 'timeout');
    return count % 7 === 0 ? { status: 503 } : undefined;
  };
  for (let round = 0; round < 100 && !(next >= 60 && (await client.flush())); round++) await client.flush(100);
  const stored = [...transport.store.runs.values()];
  assert.deepEqual([stored.length, stored.filter(({ status }) => status === 'timeout').length], [60, 60]);
  assert.deepEqual(spoolNames(spool), []);
});
