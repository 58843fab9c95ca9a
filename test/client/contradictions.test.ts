import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aClient, type ClientBench, fakeClock, linesIn, realClock, spoolNames } from '../support/client.ts';
import type { Script } from '../support/fake-transport.ts';

/** More requests than this without a pause are a loop. */
const MANY = 100;

/** Knows every run that is brought, merges nothing, and knows none that is to be changed. */
const contradicting =
  ({ transport }: ClientBench): Script =>
  (asked, count) => {
    if (count > MANY) return transport.hanging(asked, count);
    if (asked.method === 'PATCH') return { status: 404, body: { detail: 'Run not found' } };
    if (!Array.isArray(asked.body))
      return { body: { status: 'duplicate', event_id: (asked.body as { event_id: string }).event_id } };
    return { body: { inserted: 0, duplicates: asked.body.length, errors: [], total: asked.body.length } };
  };

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

for (const runs of [1, 3, 20]) {
  test(`a service that knows ${runs} run(s) but cannot change them is asked with pauses, and nothing is lost`, async (t) => {
    fakeClock(t, { apis: ['setTimeout'] });
    const bench = aClient(t);
    const { client, transport, spool } = bench;
    transport.script = contradicting(bench);
    for (let n = 0; n < runs; n++) client.endRun(client.startRun('agent', 'job'), 'partial', { items_failed: n });
    await turns();
    assert.ok(transport.asked.length < MANY, 'it is asked without a pause');
    const { failed_attempts, last_error } = (await client.getStats()).delivery;
    assert.deepEqual([failed_attempts, last_error], [1, 'its answers contradict each other']);
    // Each attempt that leads nowhere ends in a pause now: it does not begin all over.
    const asked = transport.asked.length;
    for (let attempt = 1; attempt <= 5; attempt++) {
      t.mock.timers.tick(30_000);
      await turns();
    }
    assert.ok(transport.asked.length > asked && transport.asked.length <= asked + 5 * 16);
    assert.ok((await client.getStats()).delivery.failed_attempts >= 5);
    assert.equal(linesIn(spool).length, 2 * runs);
    transport.store.older = true;
    transport.script = () => undefined;
    const flushed = client.flush(600_000);
    // Some are changed in vain once more, and it pauses for each.
    for (let attempt = 1; attempt <= 5; attempt++) {
      await turns();
      t.mock.timers.tick(30_000);
    }
    assert.equal(await flushed, true);
    const stored = [...transport.store.runs.values()].map(({ status, items_failed }) => [status, items_failed]);
    assert.deepEqual(
      stored.sort((a, b) => Number(a[1]) - Number(b[1])),
      Array.from({ length: runs }, (_run, n) => ['partial', n]),
    );
    assert.deepEqual(spoolNames(spool), []);
    realClock(t);
  });
}

for (const status of [400, 413, 422]) {
  test(`${status} with a detail is the service's word: the run is kept in .rejected and not sent again`, async (t) => {
    const { client, transport, spool } = aClient(t);
    transport.script = () => ({ status, body: { detail: 'never' } });
    client.endRun(client.startRun('agent', 'job'));
    assert.equal(await client.flush(), true);
    assert.equal((await client.getStats()).delivery.rejected, 1);
    const [rejected, ...others] = linesIn(spool, /\.rejected$/);
    assert.deepEqual([rejected?.reason, others], [`${status} never`, []]);
    const asked = transport.asked.length;
    await turns();
    assert.equal(transport.asked.length, asked);
  });
}
