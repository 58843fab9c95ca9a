import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient, linesIn } from '../support/client.ts';
import { fakeService } from '../support/fake-service.ts';

for (const apis of [['setTimeout', 'setInterval', 'setImmediate', 'Date'], ['setImmediate'], ['Date']] as const) {
  test(`an agent's test that fakes ${apis.join(', ')} gets its run delivered, and a client that closes`, async (t) => {
    const service = await fakeService(t);
    const started = Date.now();
    t.mock.timers.enable({ apis: [...apis], now: 0 });
    t.mock.method(performance, 'now', () => 0);
    t.mock.method(Date, 'now', () => 0);
    const { client, spool } = aClient(t, { apiUrl: service.url });
    const run = client.startRun('agent', 'job');
    assert.equal(await client.flush(), true);
    client.endRun(run);
    await client.close();
    const [stored] = service.store.runs.values();
    assert.equal(stored?.status, 'success');
    assert.ok(Date.parse(String(stored?.start_time)) >= started, String(stored?.start_time));
    assert.deepEqual(linesIn(spool), []);
  });
}
