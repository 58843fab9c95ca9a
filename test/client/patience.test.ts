import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { takeClock } from '../../src/client/clock.ts';
import { aClient, fakeClock, lastStates, linesIn, realClock } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

for (const [state, script] of [
  ['away', BROKEN],
  ['overloaded', () => ({ status: 503 })],
  ['impatient', () => ({ status: 429, retryAfterMs: 1_000 })],
] as const) {
  test(`after close() a service that is ${state} is asked no more, until something is recorded again`, async (t) => {
    fakeClock(t, { apis: ['setTimeout'] });
    const { client, transport, spool } = aClient(t);
    transport.script = script;
    client.startRun('agent', 'first');
    await client.close();
    const asked = transport.asked.length;
    assert.ok(asked > 0);
    for (let minute = 0; minute < 10; minute++) {
      t.mock.timers.tick(60_000);
      await turns();
    }
    assert.equal(transport.asked.length, asked);
    assert.equal(linesIn(spool).length, 1);
    transport.script = () => undefined;
    client.startRun('agent', 'second');
    assert.equal(await client.flush(), true);
    assert.equal(transport.store.runs.size, 2);
    realClock(t);
  });
}

test('close() while a request is under way asks nothing after it', async (t) => {
  fakeClock(t, { apis: ['setTimeout'] });
  const { client, transport } = aClient(t);
  transport.script = transport.hanging;
  client.startRun('agent', 'job');
  await transport.asks(1);
  const closed = client.close();
  await turns();
  t.mock.timers.tick(2_000);
  await closed;
  transport.letGo();
  for (let minute = 0; minute < 10; minute++) {
    await turns();
    t.mock.timers.tick(60_000);
  }
  assert.equal(transport.asked.length, 1);
  realClock(t);
});

test('a flush may be given more time than a timer of Node takes', async (t) => {
  const waits: unknown[] = [];
  const own = setTimeout;
  t.mock.method(globalThis, 'setTimeout', (work: (value: unknown) => void, wait: number, value?: unknown) => {
    waits.push(wait);
    return own(work, wait, value);
  });
  takeClock();
  t.after(takeClock);
  const { client, transport } = aClient(t);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  transport.script = () => promise as never;
  client.startRun('agent', 'job');
  const flushed = client.flush(3e9);
  await transport.asks(1);
  await turns();
  // Node takes a longer one for a millisecond.
  const longest = Math.max(...waits.map(Number));
  assert.ok(longest <= 2 ** 31 - 1 && longest > 2e9, `a timer of ${longest} ms`);
  resolve(undefined);
  assert.equal(await flushed, true);
});

for (const status of ['success', 'partial', 'failure', 'timeout'] as const) {
  test(`a run that ended as ${status} and then as cancelled stays ${status}, and takes the other fields`, async (t) => {
    const { client, transport, spool, warnings } = aClient(t);
    const run = client.startRun('agent', 'job');
    client.endRun(run, status, { items_failed: 1 });
    if (status === 'success') await client.flush();
    client.endRun(run, 'cancelled', { items_failed: 2, error_summary: 'late' });
    const [spooled] = [...lastStates(linesIn(spool)).values()];
    assert.equal(await client.flush(), true);
    for (const state of [spooled, ...transport.store.runs.values()]) {
      assert.deepEqual([state?.status, state?.items_failed, state?.error_summary], [status, 2, 'late']);
    }
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]), new RegExp(`cancelled.* ended as ${status}`));
  });
}

test('a run that ended as cancelled and then as success is a success', async (t) => {
  const { client, transport, warnings } = aClient(t);
  const run = client.startRun('agent', 'job');
  client.endRun(run, 'cancelled');
  client.endRun(run, 'success');
  assert.equal(await client.flush(), true);
  assert.deepEqual([[...transport.store.runs.values()][0]?.status, warnings], ['success', []]);
});
