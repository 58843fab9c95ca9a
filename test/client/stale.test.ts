import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient, type ClientBench } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { createAll, type Run, serviceOfFile, shown } from '../support/http.ts';
import { aRun, openToVerify } from '../support/service.ts';

const service = serviceOfFile();
const DAY_MS = 24 * 60 * 60 * 1_000;
const OLD = new Date(Date.now() - 2 * DAY_MS).toISOString();

const NOW = new Date().toISOString();

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

test('a run that ends after all, here or elsewhere, shows nothing of the clean-up', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const mine = client.startRun('slow', 'job', { created_at: OLD, event_id: 'slow-1' });
  await client.flush();
  const elsewhere = old('slow');
  await createAll(service(), [elsewhere]);
  const { client: cleaner } = aClient(t, { apiUrl: service().url });
  assert.deepEqual(await clean(cleaner, 'slow'), { ok: true, found: 2, cancelled: 2, failed: 0, errors: [] });
  client.endRun(mine, 'partial', { items_failed: 1 });
  await client.flush();
  // As the predecessor's clients end a run.
  const end = { status: 'failure', end_time: NOW, items_failed: 1 };
  await service().request('PATCH', `/api/v1/runs/${elsewhere.event_id}`, end);
  for (const [event_id, status] of [
    ['slow-1', 'partial'],
    [elsewhere.event_id, 'failure'],
  ] as const) {
    const run = await shown(service(), event_id);
    assert.deepEqual([run.status, run.error_summary, run.output_summary, run.items_failed], [status, null, null, 1]);
  }
  assert.equal((await shown(service(), elsewhere.event_id)).duration_ms, Date.parse(NOW) - Date.parse(OLD));
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

test('a run that completes between being found and being cancelled stays what it completed as', async (t) => {
  const { client, transport } = aClient(t);
  const run = old('racing', { event_id: 'racing' });
  await createAll(service(), [run]);
  transport.script = async ({ method, path, body }) => {
    if (method === 'POST') {
      await service().request('PATCH', '/api/v1/runs/racing', { status: 'success', items_succeeded: 5 });
    }
    return service().request(method, path, body);
  };
  const { ok, found } = await clean(client, 'racing');
  assert.deepEqual([ok, found], [true, 1]);
  const { status, items_succeeded } = await shown(service(), 'racing');
  assert.deepEqual([status, items_succeeded], ['success', 5]);
});

test('a service that does not merge gets a PATCH for each run, and says which it cannot change', async (t) => {
  const { client, transport } = aClient(t);
  transport.store.older = true;
  const runs = ['p-1', 'p-2', 'p-3'].map((event_id) => old('patched', { event_id }));
  for (const run of runs.slice(0, 2)) transport.store.runs.set(run.event_id, run);
  const running = (): Run[] =>
    runs.filter(({ event_id }) => (transport.store.runs.get(event_id)?.status ?? 'running') === 'running');
  // The third is in the list only.
  transport.script = ({ method, path, body }) => {
    if (method === 'GET') return { body: running().slice(Number(/offset=(\d+)/.exec(path)?.[1])) };
    const records = body as Run[];
    return method === 'POST'
      ? { body: { inserted: 0, duplicates: records.length, errors: [], total: records.length } }
      : undefined;
  };
  const { ok, found, cancelled, failed, errors } = await clean(client, 'patched');
  assert.deepEqual([ok, found, cancelled, failed], [false, 3, 2, 1]);
  assert.match(errors.join(), /the service answered 404/);
  assert.deepEqual(
    runs.map(({ event_id }) => transport.store.runs.get(event_id)?.status),
    ['cancelled', 'cancelled', undefined],
  );
});

test('a run that a service keeps running is told as failed, and ends the search', async (t) => {
  const { client, transport } = aClient(t);
  const run = old('stubborn', { run_id: 'stubborn' });
  transport.script = ({ method, path }) =>
    method === 'GET'
      ? { body: path.endsWith('offset=0') ? [run] : [] }
      : { body: { inserted: 0, duplicates: 1, merged: 0, errors: [], total: 1 } };
  const { ok, found, cancelled, failed, errors } = await clean(client, 'stubborn');
  assert.deepEqual([ok, found, cancelled, failed], [false, 1, 0, 1]);
  assert.deepEqual(errors, ['stubborn: the service keeps it running']);
});

test('without an agent the stale runs of all agents are meant', async (t) => {
  const { client, transport } = aClient(t);
  transport.script = () => ({ body: [] });
  assert.equal((await client.cleanupStaleRuns({ olderThanMs: DAY_MS })).ok, true);
  assert.doesNotMatch(String(transport.asked[0]?.path), /agent_name/);
});
