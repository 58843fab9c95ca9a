import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aClient, type ClientBench, fakeClock, linesIn, realClock, spoolNames } from '../support/client.ts';
import { BROKEN, type Script } from '../support/fake-transport.ts';

/** Turns of the event loop in which all that does not wait for a timer comes about. */
async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

function statuses({ transport }: ClientBench): unknown[] {
  return [...transport.store.runs.values()].map(({ status }) => status);
}

for (const older of [false, true]) {
  test(`one bad run of a batch is rejected alone, by ${older ? 'the older' : 'this'} service`, async (t) => {
    const bench = aClient(t);
    const { client, transport, spool, warnings } = bench;
    transport.store.older = older;
    transport.store.refuses = ({ job_type }) => (job_type === 'job-13' ? 'job_type: it brings bad luck' : undefined);
    for (let n = 0; n < 40; n++) client.endRun(client.startRun('agent', `job-${n}`));
    assert.equal(await client.flush(), true);
    assert.deepEqual(statuses(bench), Array(39).fill('success'));
    const [name = '', ...others] = spoolNames(spool);
    assert.match(name, /^telemetry_.*\.jsonl\.rejected$/);
    assert.deepEqual(others, []);
    const rejected = linesIn(spool, /\.rejected$/);
    assert.deepEqual(
      rejected.map(({ line }) => (JSON.parse(String(line)) as Record<string, unknown>).job_type),
      ['job-13'],
    );
    assert.match(String(rejected[0]?.reason), /it brings bad luck/);
    assert.equal((await client.getStats()).delivery.rejected, 1);
    assert.equal(warnings.filter((warning) => warning.includes('refuses a run')).length, 1);
  });
}

test('a refused run whose event_id holds that of another costs the other nothing, nor is it taken for stored', async (t) => {
  const { client, transport, spool } = aClient(t);
  transport.store.refuses = ({ event_id }) => (event_id === 'job-11' ? 'no' : undefined);
  for (const event_id of ['job-1', 'job-11', 'job-111']) client.startRun('agent', 'job', { event_id });
  assert.equal(await client.flush(), true);
  assert.deepEqual([...transport.store.runs.keys()].sort(), ['job-1', 'job-111']);
  const rejected = linesIn(spool, /\.rejected$/).map(({ line }) => JSON.parse(String(line)) as Record<string, unknown>);
  assert.deepEqual(
    rejected.map(({ event_id }) => event_id),
    ['job-11'],
  );
});

test('a batch that is too large is split until its parts are taken', async (t) => {
  const bench = aClient(t);
  bench.transport.store.maxBody = 5_000;
  for (let n = 0; n < 40; n++) bench.client.startRun('agent', 'job', { input_summary: 'x'.repeat(500) });
  assert.equal(await bench.client.flush(), true);
  assert.equal(statuses(bench).length, 40);
  assert.deepEqual(spoolNames(bench.spool), []);
});

test('a run that alone is too large is rejected, and the others are taken', async (t) => {
  const bench = aClient(t);
  bench.transport.store.maxBody = 5_000;
  for (const length of [10, 9_000, 10]) bench.client.startRun('agent', 'job', { input_summary: 'x'.repeat(length) });
  assert.equal(await bench.client.flush(), true);
  assert.equal(statuses(bench).length, 2);
  assert.equal(linesIn(bench.spool, /\.rejected$/).length, 1);
});

const PASSING: Record<string, Script> = {
  ...Object.fromEntries([401, 403, 404, 408, 429, 500, 502, 503, 507].map((status) => [status, () => ({ status })])),
  ...Object.fromEntries([400, 413, 422].map((status) => [`${status} of a proxy`, () => ({ status })])),
  ...Object.fromEntries(
    [400, 413, 422].map((status) => [`${status} of another service`, () => ({ status, body: { error: 'no' } })]),
  ),
  'a login page with 200': () => ({ status: 200, body: '<html>' }),
  'JSON of another service': () => ({ status: 200, body: { ok: true } }),
  'a broken connection': BROKEN,
};

for (const [name, script] of Object.entries(PASSING)) {
  test(`after ${name} everything is kept, and delivered later`, async (t) => {
    const bench = aClient(t);
    const { client, transport, spool } = bench;
    transport.script = script;
    const early = client.startRun('agent', 'early');
    const runs = Array.from({ length: 10 }, () => client.startRun('agent', 'job'));
    assert.equal(await client.flush(0), false);
    await transport.asks(1);
    await turns();
    client.endRun(early, 'partial');
    for (const run of runs) client.endRun(run);
    assert.equal(linesIn(spool).length, 22);
    assert.equal((await client.getStats()).delivery.rejected, 0);
    transport.script = () => undefined;
    assert.equal(await client.flush(), true);
    assert.deepEqual(statuses(bench), ['partial', ...Array<string>(10).fill('success')]);
    assert.deepEqual(spoolNames(spool), []);
  });
}

test('the service is asked again after as long as its Retry-After says, neither earlier nor later', async (t) => {
  fakeClock(t, { apis: ['setTimeout'] });
  const { client, transport } = aClient(t);
  transport.script = (_asked, count) => (count === 1 ? { status: 429, retryAfterMs: 60_000 } : undefined);
  client.startRun('agent', 'job');
  await transport.asks(1);
  await turns();
  t.mock.timers.tick(59_999);
  await turns();
  assert.equal(transport.asked.length, 1);
  t.mock.timers.tick(1);
  await transport.asks(2);
  assert.equal(transport.store.runs.size, 1);
  realClock(t);
});

test('pauses between attempts grow by the factor, up to 30 s', async (t) => {
  fakeClock(t, { apis: ['setTimeout'] });
  const { client, transport } = aClient(t, { retryBackoffFactor: 10 });
  transport.script = () => ({ status: 503 });
  client.startRun('agent', 'job');
  for (const [index, longest] of [500, 5_000, 30_000, 30_000].entries()) {
    await transport.asks(index + 1);
    await turns();
    t.mock.timers.tick(longest / 2 - 1);
    await turns();
    assert.equal(transport.asked.length, index + 1, `asked again within ${longest / 2} ms`);
    t.mock.timers.tick(longest / 2 + 1);
  }
  realClock(t);
});

test('a Retry-After of 0 is no licence to ask again at once, time after time', async (t) => {
  fakeClock(t, { apis: ['setTimeout'] });
  const { client, transport } = aClient(t);
  transport.script = () => ({ status: 429, retryAfterMs: 0 });
  client.startRun('agent', 'job');
  for (let millisecond = 0; millisecond < 100; millisecond++) {
    await turn();
    t.mock.timers.tick(1);
  }
  assert.ok(transport.asked.length <= 3, `asked ${transport.asked.length} times in 100 ms`);
  realClock(t);
});
