import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Syncer } from '../../src/client/append.ts';
import { Outbox } from '../../src/client/outbox.ts';
import { applyMetrics, startRun, type TrackedRun } from '../../src/client/record.ts';
import { Spool, type SpoolFile } from '../../src/client/spool.ts';
import { aClient, spoolNames } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { temporaryDirectory } from '../support/service.ts';

const RUNS = 5_000;
const MAX_TEXT = 16 * 1024 * 1024;

const aRun = (runId: string): TrackedRun =>
  startRun({ runId, agentName: 'agent', jobType: 'job', fields: {}, defaults: {} }).run;

function anOutbox(t: TestContext): { outbox: Outbox; file: SpoolFile } {
  const directory = temporaryDirectory(t);
  const syncer = new Syncer('off', () => undefined);
  const spool = new Spool({ directory, maxFileBytes: 1e9, policy: 'off', syncer });
  t.after(() => spool.seal());
  return { outbox: new Outbox(spool, RUNS), file: spool.append('{}') };
}

function textIn(outbox: Outbox): number {
  return outbox.next(Infinity, Infinity).reduce((sum, { text }) => sum + text.length, 0);
}

test('what waits in memory is bounded, also where runs that wait already grow', (t) => {
  const { outbox, file } = anOutbox(t);
  const runs = Array.from({ length: RUNS }, (_each, n) => aRun(`run-${n}`));
  for (const length of [500, 5_000, 50_000]) {
    for (const run of runs) assert.equal(outbox.put(run, 'x'.repeat(length), [], file), true);
    assert.ok(textIn(outbox) <= MAX_TEXT);
  }
  assert.ok(outbox.counts.overflowed > 0 && file.unread);
  assert.equal(outbox.counts.lost, 0);
  // Those that wait may shrink, and there is room again.
  for (const { run } of outbox.next(Infinity, Infinity)) outbox.put(run, '{}', [], file);
  const { overflowed } = outbox.counts;
  for (let n = 0; n < 1_000; n++) outbox.put(aRun('more'), 'x'.repeat(10_000), [], file);
  assert.equal(outbox.counts.overflowed, overflowed);
});

test('where neither memory nor disk has room for what a run has become, its earlier state is kept', (t) => {
  const { outbox } = anOutbox(t);
  const run = aRun('run');
  assert.equal(outbox.put(run, '{}', [], undefined), true);
  assert.equal(outbox.put(run, 'x'.repeat(MAX_TEXT + 1), [], undefined), false);
  assert.deepEqual([outbox.next(1, 1)[0]?.text, outbox.counts], ['{}', { overflowed: 0, lost: 1 }]);
});

test('a waiting run that changes many times is noted as one range of lines', (t) => {
  const { outbox, file } = anOutbox(t);
  const run = aRun('run');
  for (let n = 0; n < 1_000; n++) {
    applyMetrics(run, { items_discovered: n });
    outbox.put(run, '{}', ['items_discovered'], file);
  }
  const [entry] = outbox.next(1, 1);
  assert.deepEqual(entry?.lines, [{ file, version: run.version, count: 1_000 }]);
  file.outstanding = 1_001;
  outbox.settle(entry, run.version);
  assert.deepEqual([outbox.size, file.outstanding], [0, 1]);
});

test('runs that grow while the service is away overflow to disk, and all arrive in their last state', async (t) => {
  const { client, transport, spool } = aClient(t, { fsync: 'off' });
  transport.script = BROKEN;
  const runs = Array.from({ length: RUNS }, (_each, n) => client.startRun('agent', 'job', { event_id: `run-${n}` }));
  await transport.asks(1);
  for (const [n, run] of runs.entries()) client.setMetrics(run, { input_summary: 'x'.repeat(5_000), items_failed: n });
  const { delivery } = await client.getStats();
  assert.ok(delivery.waiting * 5_000 <= MAX_TEXT && delivery.overflowed >= RUNS - delivery.waiting);
  for (const run of runs) client.endRun(run, 'partial');
  transport.script = () => undefined;
  assert.equal(await client.flush(600_000), true);
  assert.equal(transport.store.runs.size, RUNS);
  for (const [eventId, { status, items_failed, input_summary }] of transport.store.runs) {
    const length = String(input_summary).length;
    assert.deepEqual([status, `run-${Number(items_failed)}`, length], ['partial', eventId, 5_000]);
  }
  assert.deepEqual([(await client.getStats()).delivery.lost, spoolNames(spool)], [0, []]);
});

test('a run that changes each time it is sent does not keep those waiting that came after it', (t) => {
  const { outbox, file } = anOutbox(t);
  const change = (run: TrackedRun): void => {
    applyMetrics(run, { items_discovered: 1 });
    outbox.put(run, '{}', ['items_discovered'], file);
  };
  const runs = ['busy', 'second', 'third'].map(aRun);
  for (const run of runs) change(run);
  const order: TrackedRun[] = [];
  for (let sent = 0; sent < 6; sent++) {
    const [entry] = outbox.next(1, Infinity);
    assert.ok(entry);
    order.push(entry.run);
    const { version } = entry;
    // While it is on its way.
    change(entry.run);
    outbox.settle(entry, version);
  }
  assert.deepEqual(order, [...runs, ...runs]);
});
