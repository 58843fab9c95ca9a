import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient, type ClientBench } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { createAll, type Run, serviceOfFile, shown } from '../support/http.ts';
import { aRun, openToVerify } from '../support/service.ts';

const service = serviceOfFile();
const DAY_MS = 24 * 60 * 60 * 1_000;
const OLD = new Date(Date.now() - 2 * DAY_MS).toISOString();

const old = (agent_name: string, fields: Record<string, unknown> = {}): Run =>
  aRun({ agent_name, created_at: OLD, start_time: OLD, status: 'running', ...fields });

const clean = (client: ClientBench['client'], agentName: string) =>
  client.cleanupStaleRuns({ agentName, olderThanMs: DAY_MS });

test('old running runs of the agent are cancelled with summaries, and no others', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const stale = [old('stale'), old('stale')];
  const others = [
    old('stale', { status: 'success' }),
    old('stale', { created_at: new Date().toISOString() }),
    old('other'),
    old('stale-2'),
  ];
  await createAll(service(), [...stale, ...others]);
  const mine = client.startRun('stale', 'job', { created_at: OLD, event_id: 'mine' });
  await client.flush();
  assert.deepEqual(await clean(client, 'stale'), { ok: true, found: 2, cancelled: 2, failed: 0, errors: [] });
  for (const { event_id } of stale) {
    const { status, end_time, error_summary, output_summary } = await shown(service(), event_id);
    assert.equal(status, 'cancelled');
    assert.ok(String(end_time) > OLD);
    assert.match(String(error_summary), /^Stale run cleaned up \(created at 20.*\)$/);
    assert.match(String(output_summary), /did not complete/);
  }
  for (const { event_id, status } of [...others, { event_id: 'mine', status: 'running' }]) {
    assert.equal((await shown(service(), event_id)).status, status);
  }
  client.endRun(mine);
});

test('more than a page of stale runs is cancelled to the last, past own active ones', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const runs = Array.from({ length: 2_300 }, () => old('many'));
  await createAll(service(), runs);
  for (let n = 0; n < 20; n++) client.startRun('many', 'own', { created_at: OLD });
  await client.flush();
  assert.deepEqual(await clean(client, 'many'), { ok: true, found: 2_300, cancelled: 2_300, failed: 0, errors: [] });
  const db = openToVerify(t, service().path);
  const counts = db.prepare("SELECT status, count(*) AS n FROM agent_runs WHERE agent_name = 'many' GROUP BY status");
  assert.deepEqual(
    counts.all().map((row) => Object.values(row as Record<string, unknown>)),
    [
      ['cancelled', 2_300],
      ['running', 20],
    ],
  );
});

test('a run that completes after it was cancelled becomes what it completed as', async (t) => {
  const owner = aClient(t, { apiUrl: service().url }).client;
  const { client } = aClient(t, { apiUrl: service().url });
  const runs = ['first', 'second'].map((event_id) => owner.startRun('late', 'job', { created_at: OLD, event_id }));
  await owner.flush();
  assert.equal((await clean(client, 'late')).cancelled, 2);
  owner.endRun(runs[0] as string, 'success', { items_succeeded: 3 });
  await owner.flush();
  const { status, items_succeeded } = await shown(service(), 'first');
  assert.deepEqual([status, items_succeeded], ['success', 3]);
  // As the spool of a process brings it that was killed after it had ended the run.
  const { start_time } = await shown(service(), 'second');
  const ended = { event_id: 'second', run_id: runs[1], agent_name: 'late', job_type: 'job', start_time };
  await service().request('POST', '/api/v1/runs/batch?on_duplicate=merge', [
    { ...ended, status: 'success', end_time: OLD, updated_at: OLD },
  ]);
  assert.equal((await shown(service(), 'second')).status, 'success');
});

test('a service that is down, and options without sense, are said in the result', async (t) => {
  const { client, transport } = aClient(t);
  transport.script = BROKEN;
  const down = await clean(client, 'agent');
  assert.equal(down.ok, false);
  assert.match(String(down.errors[0]), /could not be read: connect ECONNREFUSED/);
  for (const options of [{ agentName: '', olderThanMs: 1 }, { agentName: 'a', olderThanMs: -1 }, { agentName: 'a' }]) {
    const { ok, errors } = await client.cleanupStaleRuns(options as never);
    assert.deepEqual([ok, errors.length], [false, 1]);
  }
  assert.equal(transport.asked.length, 1);
});
