import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aClient, spoolNames } from '../support/client.ts';
import type { Asked } from '../support/fake-transport.ts';

const MERGE = 'POST /api/v1/runs/batch?on_duplicate=merge';
const PATCH = 'PATCH /api/v1/runs/:id';
const sizeOf = ({ body }: Asked): number => (Array.isArray(body) ? body.length : 1);

test('a start and an end in one turn go as one POST, which holds the end', async (t) => {
  const { client, transport, spool } = aClient(t);
  client.endRun(client.startRun('agent', 'job'), 'partial', { items_succeeded: 3 });
  assert.equal(await client.flush(), true);
  assert.deepEqual(transport.lines, ['POST /api/v1/runs']);
  const { status, items_succeeded, end_time } = transport.asked[0]?.body as Record<string, unknown>;
  assert.deepEqual([status, items_succeeded, typeof end_time], ['partial', 3, 'string']);
  assert.deepEqual(spoolNames(spool), []);
});

test('the end of a run whose start was delivered goes by merging, as the whole record', async (t) => {
  const { client, transport } = aClient(t);
  const run = client.startRun('agent', 'job', { product: 'slides' });
  await client.flush();
  client.endRun(run, 'failure', { error_summary: 'no' });
  await client.flush();
  assert.deepEqual(transport.lines, ['POST /api/v1/runs', MERGE]);
  const [end] = transport.asked[1]?.body as Record<string, unknown>[];
  assert.deepEqual([end?.product, end?.status, end?.error_summary], ['slides', 'failure', 'no']);
});

test('where the service does not merge, changes go as a PATCH of what changed, and nothing else', async (t) => {
  const { client, transport } = aClient(t);
  transport.store.older = true;
  const run = client.startRun('agent', 'job', { product: 'slides', input_summary: 'in' });
  await client.flush();
  client.setMetrics(run, { items_discovered: 1 });
  await client.flush();
  assert.equal(transport.lines.at(-1), PATCH);
  client.endRun(run, 'failure', { error_summary: 'no' });
  await client.flush();
  assert.deepEqual(transport.lines.slice(-2), [PATCH, PATCH]);
  const patch = transport.asked.at(-1)?.body as Record<string, unknown>;
  assert.deepEqual(Object.keys(patch).sort(), ['duration_ms', 'end_time', 'error_summary', 'status']);
});

for (const older of [false, true]) {
  test(`what changes while a request is under way goes with the next one (${older ? 'PATCH' : 'merge'})`, async (t) => {
    const { client, transport, spool } = aClient(t);
    transport.store.older = older;
    const run = client.startRun('agent', 'job');
    await client.flush();
    client.setMetrics(run, { items_skipped: 1 });
    await client.flush();
    const asked = transport.asked.length;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    transport.script = (_asked, count) => (count === asked + 1 ? (promise as never) : undefined);
    client.setMetrics(run, { items_discovered: 1, items_failed: 7 });
    await transport.asks(asked + 1);
    client.setMetrics(run, { items_discovered: 2 });
    resolve(undefined);
    await client.flush();
    assert.equal(transport.asked.length, asked + 2);
    if (older) assert.deepEqual(transport.asked.at(-1)?.body, { items_discovered: 2 });
    const [stored] = transport.store.runs.values();
    assert.deepEqual([stored?.items_discovered, stored?.items_failed], [2, 7]);
    assert.deepEqual(spoolNames(spool), []);
  });
}

test('a PATCH of a run that the service does not have brings the whole run', async (t) => {
  const { client, transport } = aClient(t);
  transport.store.older = true;
  const run = client.startRun('agent', 'job');
  await client.flush();
  client.setMetrics(run, { items_skipped: 1 });
  await client.flush();
  transport.store.runs.clear();
  const asked = transport.asked.length;
  client.endRun(run, 'success', { items_succeeded: 5 });
  assert.equal(await client.flush(), true);
  assert.deepEqual(transport.lines.slice(asked), [PATCH, MERGE]);
  const [stored] = transport.store.runs.values();
  assert.deepEqual([stored?.agent_name, stored?.status, stored?.items_succeeded], ['agent', 'success', 5]);
});

test('many runs at once go by batch, started or ended', async (t) => {
  const { client, transport } = aClient(t);
  const runs = Array.from({ length: 8 }, () => client.startRun('agent', 'job'));
  await client.flush();
  for (const run of runs) client.endRun(run);
  await client.flush();
  assert.deepEqual(transport.lines, [MERGE, MERGE]);
  assert.deepEqual(transport.asked.map(sizeOf), [8, 8]);
  assert.ok([...transport.store.runs.values()].every(({ status }) => status === 'success'));
});

test('a field that PATCH cannot set is brought by a merge', async (t) => {
  const { client, transport } = aClient(t);
  const run = client.startRun('agent', 'job');
  await client.flush();
  client.setMetrics(run, { product: 'slides', items_failed: 1 });
  await client.flush();
  assert.deepEqual(transport.lines.slice(1), [MERGE]);
  const [stored] = transport.store.runs.values();
  assert.deepEqual([stored?.product, stored?.items_failed], ['slides', 1]);
});

test('a run that the service had already is changed into its last state', async (t) => {
  const { client, transport } = aClient(t);
  transport.script = ({ method, path, body }, count) => {
    // The first answer is lost on its way, after the run was stored.
    if (count > 1) return undefined;
    transport.store.handle(method, path, JSON.stringify(body));
    throw new Error('socket hang up');
  };
  const run = client.startRun('agent', 'job');
  await transport.asks(1);
  client.endRun(run, 'timeout');
  assert.equal(await client.flush(), true);
  assert.deepEqual(transport.lines.slice(0, 2), ['POST /api/v1/runs', 'POST /api/v1/runs']);
  assert.equal([...transport.store.runs.values()][0]?.status, 'timeout');
});

test('two runs under one event_id, both waiting, leave the state of the later one', async (t) => {
  const { client, transport } = aClient(t);
  client.startRun('agent', 'job', { event_id: 'again' });
  client.endRun(client.startRun('agent', 'job', { event_id: 'again' }), 'success', { items_succeeded: 4 });
  assert.equal(await client.flush(), true);
  const stored = transport.store.runs.get('again');
  assert.deepEqual([stored?.status, stored?.items_succeeded], ['success', 4]);
});

test('a service without merging gets the last state of every run all the same', async (t) => {
  const { client, transport, spool } = aClient(t);
  transport.store.older = true;
  const runs = Array.from({ length: 20 }, () => client.startRun('agent', 'job'));
  await client.flush();
  for (const [index, run] of runs.entries()) client.setMetrics(run, { items_discovered: index });
  await client.flush();
  for (const run of runs) client.endRun(run);
  assert.equal(await client.flush(), true);
  const stored = [...transport.store.runs.values()];
  assert.deepEqual(
    stored.map(({ status, items_discovered }) => [status, items_discovered]),
    runs.map((_run, index) => ['success', index]),
  );
  assert.deepEqual(spoolNames(spool), []);
});

test('a service without merging that stored a batch unheard gets the ends that came after', async (t) => {
  const { client, transport } = aClient(t);
  transport.store.older = true;
  transport.script = ({ method, path, body }, count) => {
    if (count > 1) return undefined;
    transport.store.handle(method, path, JSON.stringify(body));
    throw new Error('socket hang up');
  };
  const runs = [client.startRun('agent', 'one'), client.startRun('agent', 'two')];
  await transport.asks(1);
  for (const run of runs) client.endRun(run, 'partial');
  assert.equal(await client.flush(), true);
  assert.deepEqual(
    [...transport.store.runs.values()].map(({ status }) => status),
    ['partial', 'partial'],
  );
});

test('nothing is asked of the service before the agent has come to a pause', async (t) => {
  const { client, transport, spool } = aClient(t);
  client.startRun('agent', 'job');
  assert.deepEqual([transport.asked.length, spoolNames(spool).length], [0, 1]);
  await Promise.resolve();
  assert.equal(transport.asked.length, 0);
  await turn();
  await transport.asks(1);
});
