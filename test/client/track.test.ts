import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as later } from 'node:timers/promises';
import { aClient, backupLines, type Line, lastStates, linesIn } from '../support/client.ts';

const MOCK = { testMode: 'mock' } as const;
const byJob = (spool: string): Map<unknown, Line> => new Map(linesIn(spool).map((line) => [line.job_type, line]));

test('trackRun gives what the work returns, and records success with what was said meanwhile', async (t) => {
  const { client, spool, directory } = aClient(t, MOCK);
  const result = await client.trackRun('agent', 'job', { product: 'slides' }, async (run) => {
    run.logEvent('checkpoint', { step: 1 });
    await turn();
    run.setMetrics({ items_discovered: 3 });
    return 42;
  });
  assert.equal(result, 42);
  const state = byJob(spool).get('job');
  const { status, product, items_discovered, duration_ms, end_time } = state ?? {};
  assert.deepEqual([status, product, items_discovered, typeof end_time], ['success', 'slides', 3, 'string']);
  assert.ok(Number(duration_ms) >= 0);
  const [event] = backupLines(directory).filter(({ record_type }) => record_type === 'event');
  assert.deepEqual([event?.run_id, event?.event_type, event?.payload_json], [state?.run_id, 'checkpoint', { step: 1 }]);
});

test('what the work throws comes back the very same, and the run is a failure that says it', async (t) => {
  const { client, spool } = aClient(t, MOCK);
  const error = new RangeError('out of pages');
  await assert.rejects(
    client.trackRun('agent', 'job', () => Promise.reject(error)),
    (caught) => caught === error,
  );
  const { status, error_summary, error_details } = byJob(spool).get('job') ?? {};
  assert.deepEqual([status, error_summary], ['failure', 'RangeError: out of pages']);
  assert.match(String(error_details), /track\.test\.ts/);
});

test('a run that the work ended itself stays as it was ended, whether the work returns or throws', async (t) => {
  const { client, spool } = aClient(t, MOCK);
  await client.trackRun('agent', 'returns', (run) => run.end('partial', { items_failed: 1 }));
  const failing = client.trackRun('agent', 'throws', (run) => {
    run.end('timeout');
    throw new Error('late');
  });
  await assert.rejects(failing, /late/);
  assert.deepEqual(
    [...byJob(spool).values()].map(({ status, items_failed }) => [status, items_failed]),
    [
      ['partial', 1],
      ['timeout', undefined],
    ],
  );
});

test('whatever is started within a tracked run is its child, across awaits and timers, and nothing after it', async (t) => {
  const { client, spool } = aClient(t, MOCK);
  await client.trackRun('agent', 'parent', async () => {
    await turn();
    client.startRun('agent', 'explicit');
    await later(1);
    await client.trackRun('agent', 'child', async () => {
      await Promise.all([turn(), client.trackRun('agent', 'grandchild', () => turn())]);
    });
    client.startRun('agent', 'sibling');
    client.startRun('agent', 'adopted', { parent_run_id: 'someone else' });
  });
  client.startRun('agent', 'after');
  assert.equal(client.currentRun(), undefined);
  const runs = byJob(spool);
  const idOf = (job: string): unknown => runs.get(job)?.run_id;
  const parents: Line = {};
  for (const [job, { parent_run_id }] of runs) parents[String(job)] = parent_run_id;
  assert.deepEqual(parents, {
    parent: undefined,
    explicit: idOf('parent'),
    child: idOf('parent'),
    grandchild: idOf('child'),
    sibling: idOf('parent'),
    adopted: 'someone else',
    after: undefined,
  });
});

test('tracked runs at the same time do not mix', async (t) => {
  const { client, spool } = aClient(t, MOCK);
  const work = (name: string) =>
    client.trackRun('agent', name, async (run) => {
      for (let step = 0; step < 20; step++) {
        await (step % 2 ? turn() : later(0));
        assert.equal(client.currentRun(), run);
        client.startRun('agent', `${name} ${step}`);
      }
    });
  await Promise.all(['one', 'two', 'three'].map(work));
  const states = lastStates(linesIn(spool));
  const children = [...states.values()].filter(({ parent_run_id }) => parent_run_id !== undefined);
  assert.equal(children.length, 60);
  for (const { job_type, parent_run_id } of children) {
    assert.equal(states.get(parent_run_id)?.job_type, String(job_type).split(' ')[0]);
  }
});
