import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalTimestamp, shortId } from '../../src/run.ts';
import { acceptsRun, explainRun } from '../../src/run/check.ts';
import { aClient, fakeClock, type Line, linesIn, realClock } from '../support/client.ts';

const MOCK = { testMode: 'mock' } as const;

test('a run_id is made of time, agent and chance', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const made = ['hugo-translator', 'a/b\\c', 'ü 😀'].map((agent) => client.startRun(agent, 'job'));
  assert.match(made[0] as string, /^20\d{6}T\d{6}Z-hugo-translator-[0-9a-f]{8}$/);
  assert.match(made[1] as string, /Z-a-b-c-[0-9a-f]{8}$/);
  assert.match(made[2] as string, /Z-ü 😀-[0-9a-f]{8}$/);
  assert.equal(linesIn(spool)[1]?.agent_name, 'a/b\\c');
  assert.equal(client.getRunIdMetrics().generated, 3);
});

test('custom run_ids are kept, or counted by what is wrong with them and replaced', (t) => {
  const { client, spool } = aClient(t, MOCK);
  const ids = ['mine', 'x'.repeat(255), 'ünï 😀', '', '   ', 'x'.repeat(256), 'a/b', 'a\\b', 'a\0b', '\ud800', 5];
  const got = ids.map((run_id) => client.startRun('agent', 'job', { run_id } as never));
  assert.deepEqual(got.slice(0, 3), ids.slice(0, 3));
  for (const run of got.slice(3)) assert.match(run, /Z-agent-[0-9a-f]{8}$/);
  assert.deepEqual(client.getRunIdMetrics(), {
    generated: 8,
    custom_accepted: 3,
    rejected: { empty: 2, too_long: 1, invalid_chars: 5 },
    duplicates: 0,
  });
  assert.deepEqual(
    linesIn(spool).map(({ run_id }) => run_id),
    got,
  );
});

test('a run_id that is active gets a suffix, one that has ended is free again', (t) => {
  const { client } = aClient(t, MOCK);
  const run_id = 'mine';
  client.startRun('agent', 'job', { run_id });
  assert.match(client.startRun('agent', 'job', { run_id }), /^mine-duplicate-[0-9a-f]{8}$/);
  client.endRun(run_id);
  assert.equal(client.startRun('agent', 'job', { run_id }), run_id);
  assert.equal(client.getRunIdMetrics().duplicates, 1);
});

test('a suffix leaves the longest run_id no longer than 255 and in whole characters', (t) => {
  const { client, spool } = aClient(t, MOCK);
  for (const run_id of ['😀'.repeat(127), `a${'😀'.repeat(127)}`]) {
    client.startRun('agent', 'job', { run_id });
    const again = client.startRun('agent', 'job', { run_id });
    assert.match(again, /-duplicate-[0-9a-f]{8}$/);
    assert.ok(again.length <= 255);
  }
  for (const record of linesIn(spool)) assert.ok(acceptsRun(record), String(record.run_id));
});

test('event_ids are UUIDs of version 7, in the order of time; one of the agent is kept', (t) => {
  const { client, spool } = aClient(t, MOCK);
  fakeClock(t, { apis: ['Date'], now: Date.parse('2026-01-10T12:00:00Z') });
  for (let n = 0; n < 200; n++) {
    client.startRun('agent', 'job');
    t.mock.timers.tick(1);
  }
  client.startRun('agent', 'job', { event_id: 'mine' });
  realClock(t);
  const ids = linesIn(spool).map(({ event_id }) => String(event_id));
  assert.equal(ids.pop(), 'mine');
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(parseInt(ids[0]?.replace('-', '').slice(0, 12) ?? '', 16), Date.parse('2026-01-10T12:00:00Z'));
  assert.deepEqual([...new Set(ids)].sort(), ids);
});

test('updated_at of a run increases strictly, however fast it changes and however the clock jumps', async (t) => {
  const { client, spool } = aClient(t, MOCK);
  fakeClock(t, { apis: ['Date'], now: Date.parse('2026-01-10T12:00:00Z') });
  const jumps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -5_000, max: 5_000 })), { maxLength: 30 });
  const increases = fc.property(jumps, (list) => {
    const run = client.startRun('agent', 'job');
    for (const jump of list) {
      t.mock.timers.setTime(Date.now() + jump);
      client.setMetrics(run, { items_discovered: 1 });
    }
    client.endRun(run);
    const times = linesOf(spool, run).map(({ updated_at }) => String(updated_at));
    assert.equal(times.length, list.length + 2);
    for (const [index, time] of times.entries()) {
      assert.equal(canonicalTimestamp(time), time);
      assert.ok(index === 0 || (times[index - 1] as string) < time);
    }
  });
  fc.assert(increases, { numRuns: 50 });
  realClock(t);
  await client.close();
});

const linesOf = (spool: string, run: string): Line[] => linesIn(spool).filter(({ run_id }) => run_id === run);

test('ids and names of too many bytes are recorded in the short form that the service finds them by', (t) => {
  const { client, spool, warnings } = aClient(t, MOCK);
  const [run_id, long] = ['😀'.repeat(127) + 'x', 'ü'.repeat(300)];
  const fields = {
    run_id: `${run_id.slice(0, -1)}y`,
    event_id: long,
    parent_run_id: run_id,
    git_commit_source: 'github',
  };
  assert.equal(
    client.startRun(long, long, { run_id, git_commit_source: 'ci' }),
    run_id,
    'the agent goes on using its own',
  );
  client.startRun('agent', 'job', fields as never);
  client.setMetrics(run_id, { items_failed: 1 });
  const [parent, child, changed] = linesIn(spool);
  assert.deepEqual([parent?.run_id, parent?.agent_name, parent?.job_type], [run_id, long, long].map(shortId));
  assert.deepEqual([child?.parent_run_id, child?.event_id], [shortId(run_id), shortId(long)]);
  assert.deepEqual([parent?.git_commit_source, child?.git_commit_source, changed?.items_failed], ['ci', undefined, 1]);
  assert.ok(
    warnings.some((line) => line.includes('git_commit_source must be manual, llm or ci')),
    warnings.join(),
  );
  for (const record of linesIn(spool)) assert.ok(acceptsRun(record), JSON.stringify(explainRun(record)));
  const generated = client.startRun(long, 'job');
  assert.ok(Buffer.byteLength(generated) <= 512, 'a generated one needs none');
});
