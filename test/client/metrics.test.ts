import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient, backupLines, lastStates, linesIn } from '../support/client.ts';

const MOCK = { testMode: 'mock' } as const;

test('unknown keys are ignored and warned of once each', (t) => {
  const { client, spool, warnings } = aClient(t, MOCK);
  const run = client.startRun('agent', 'job');
  for (let n = 0; n < 3; n++) client.setMetrics(run, { items_done: 5, items_failed: n, status: 'success' } as never);
  const state = lastStates(linesIn(spool)).get(run) ?? {};
  assert.deepEqual([state.items_failed, state.items_done, state.status], [2, undefined, 'running']);
  assert.deepEqual(
    warnings.map((warning) => /(items_done|status) is not a field/.exec(warning)?.[1]),
    ['items_done', 'status'],
  );
});

test('odd values are dropped, all beside them kept; what can be understood is', (t) => {
  const { client, spool, warnings } = aClient(t, MOCK);
  const run = client.startRun('agent', 'job');
  client.setMetrics(run, {
    items_discovered: '12',
    items_succeeded: 3.4,
    items_failed: -1,
    items_skipped: NaN,
    output_summary: 'a\ud800b\0c',
    input_summary: { pages: 3 },
    metrics_json: '{"a":1}',
    context_json: [1],
    product: Symbol('odd'),
    platform: null,
  } as never);
  const state = lastStates(linesIn(spool)).get(run) ?? {};
  const kept = Object.fromEntries(
    ['items_discovered', 'items_succeeded', 'items_failed', 'items_skipped', 'output_summary', 'input_summary']
      .concat('metrics_json', 'context_json', 'product', 'platform')
      .map((name) => [name, state[name]]),
  );
  assert.deepEqual(kept, {
    items_discovered: 12,
    items_succeeded: 3,
    items_failed: undefined,
    items_skipped: undefined,
    output_summary: 'a\uFFFDb\uFFFDc',
    input_summary: '{"pages":3}',
    metrics_json: { a: 1 },
    context_json: undefined,
    product: undefined,
    platform: undefined,
  });
  assert.equal(warnings.length, 4);
});

test('what an agent gives is copied: changing it later changes nothing recorded', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const metrics = { pages: [1] };
  const run = client.startRun('agent', 'job', { metrics_json: metrics });
  metrics.pages.push(2);
  client.endRun(run);
  assert.deepEqual(lastStates(linesIn(spool)).get(run)?.metrics_json, { pages: [1] });
});

test('times come as dates, milliseconds or ISO 8601, and end_time and duration_ms are measured where they are not given', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const start_time = '2026-01-10T12:00:00.000000+00:00';
  const given = [
    new Date(start_time),
    Date.parse(start_time),
    '2026-01-10T13:00:00+01:00',
    new Date(NaN),
    '10 o’clock',
  ];
  const runs = given.map((time) => client.startRun('agent', 'job', { start_time: time }));
  for (const run of runs) client.endRun(run, 'success', { end_time: new Date('2026-01-10T12:30:00Z'), duration_ms: 7 });
  const states = [...lastStates(linesIn(spool)).values()];
  assert.deepEqual(
    states.map((state) => state.start_time === start_time),
    [true, true, true, false, false],
  );
  for (const { end_time, duration_ms } of states) {
    assert.deepEqual([end_time, duration_ms], ['2026-01-10T12:30:00.000000+00:00', 7]);
  }
});

test('a duration that the agent has said before the end is not measured over', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const run = client.startRun('agent', 'job');
  client.setMetrics(run, { duration_ms: 123_456 });
  client.endRun(run);
  assert.equal(lastStates(linesIn(spool)).get(run)?.duration_ms, 123_456);
});

test('an unknown status ends a run as failure, with a warning; aliases are known', (t) => {
  const { client, spool, warnings } = aClient(t, MOCK);
  const statuses = ['completed', 'failed', 'cancelled', 'Great', 'running', '', 5, null];
  const runs = statuses.map((status) => {
    const run = client.startRun('agent', 'job');
    client.endRun(run, status as never);
    return run;
  });
  const states = lastStates(linesIn(spool));
  assert.deepEqual(
    runs.map((run) => states.get(run)?.status),
    ['success', 'failure', 'cancelled', ...Array<string>(5).fill('failure')],
  );
  assert.equal(warnings.length, 1);
});

test('ending a run once more corrects it, and leaves its times', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const run = client.startRun('agent', 'job');
  client.endRun(run, 'failure', { error_summary: 'no', end_time: '2026-01-10T12:00:00Z', duration_ms: 5 });
  client.endRun(run, 'success', { items_succeeded: 1 });
  const { status, items_succeeded, end_time, duration_ms } = lastStates(linesIn(spool)).get(run) ?? {};
  assert.deepEqual(
    [status, items_succeeded, end_time, duration_ms],
    ['success', 1, '2026-01-10T12:00:00.000000+00:00', 5],
  );
});

test('of a run that is not known here nothing is recorded but its events, and a warning tells of each call', (t) => {
  const { client, spool, directory, warnings } = aClient(t, MOCK);
  client.setMetrics('nobody', { items_failed: 1 });
  client.endRun('nobody');
  client.logEvent('nobody', 'seen', 'text');
  assert.deepEqual(linesIn(spool), []);
  assert.deepEqual(
    backupLines(directory).map(({ run_id, event_type, payload_json }) => [run_id, event_type, payload_json]),
    [['nobody', 'seen', 'text']],
  );
  assert.deepEqual(
    warnings.map((warning) => /(\w+): no run nobody/.exec(warning)?.[1]),
    ['setMetrics', 'endRun'],
  );
});

test('large values are cut, and large buffers not even looked at', (t) => {
  const { client, directory, spool } = aClient(t, MOCK);
  const run = client.startRun('agent', 'job', { input_summary: 'x'.repeat(1_000_000) });
  assert.match(String(linesIn(spool)[0]?.input_summary), /^x{100000}… \(1000000 characters\)$/);
  client.logEvent(run, 'large', { buffer: Buffer.alloc(50_000), ['key'.repeat(1_000_000)]: 1, list: Array(1_000_000) });
  const [event] = backupLines(directory).slice(-1);
  const { buffer } = event?.payload_json as Record<string, unknown>;
  assert.ok(buffer === '[50000 bytes]', 'the buffer was copied');
  assert.ok(JSON.stringify(event).length < 1_000_000);
});
