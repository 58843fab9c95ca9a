import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAll, pathOf, serviceOfFile } from '../support/http.ts';
import { aRun, startService } from '../support/service.ts';

/** For tests that store nothing. */
const empty = serviceOfFile();

const HOUR_MS = 60 * 60 * 1000;
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

test('the metadata of no runs is empty', async () => {
  const service = empty();
  const answer = await service.request('GET', '/api/v1/metadata');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { agent_names: [], job_types: [], counts: { agent_names: 0, job_types: 0 } });
});

test('the metadata names agents and job types once, sorted', async (t) => {
  const service = await startService(t);
  const runs = [
    ['b', 'y'],
    ['a', 'y'],
    ['B', 'x'],
    ['b', 'x'],
    ['__proto__', 'ä'],
  ].map(([agent_name, job_type]) => aRun({ agent_name, job_type }));
  await createAll(service, runs);
  const { body } = await service.request('GET', '/api/v1/metadata');
  assert.deepEqual(body, {
    agent_names: ['B', '__proto__', 'a', 'b'],
    job_types: ['x', 'y', 'ä'],
    counts: { agent_names: 4, job_types: 3 },
  });
});

test('the metrics of no runs are zero', async () => {
  const service = empty();
  const answer = await service.request('GET', '/metrics');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const performance = { db_path: service.path, journal_mode: 'DELETE' };
  const spool = { files: 0, pending_bytes: 0, lag_seconds: 0, stored: 0, rejected: 0 };
  assert.deepEqual(answer.body, { total_runs: 0, agents: {}, recent_24h: 0, performance, spool });
});

test('the metrics count runs by agent, the most first', async (t) => {
  const service = await startService(t);
  const names = ['few', 'many', 'many', 'many', 'some', 'some', '__proto__'];
  await createAll(
    service,
    names.map((agent_name) => aRun({ agent_name })),
  );
  const text = await (await fetch(`${service.url}/metrics`)).text();
  assert.ok(text.startsWith('{"total_runs":7,"agents":{"many":3,"some":2,"__proto__":1,"few":1},'), text);
});

test('an agent whose name is a number takes its place by its runs too', async (t) => {
  const service = await startService(t);
  await createAll(
    service,
    ['42', 'many', 'many'].map((agent_name) => aRun({ agent_name })),
  );
  const text = await (await fetch(`${service.url}/metrics`)).text();
  assert.ok(text.includes('"agents":{"many":2,"42":1}'), text);
});

test('recent_24h counts by created_at, exactly also within the hour at its edge', async (t) => {
  const service = await startService(t);
  const recent = [0, 1, 12, 23, 23.9, 23.99].map(hoursAgo);
  const old = [24.01, 24.1, 25, 48, 24_000].map(hoursAgo);
  await createAll(
    service,
    [...recent, ...old].map((created_at) => aRun({ created_at })),
  );
  const { body } = await service.request('GET', '/metrics');
  const { total_runs, recent_24h } = body as Record<string, number>;
  assert.deepEqual([total_runs, recent_24h], [11, 6]);
});

test('what changes no count changes none: duplicates, rejected items, patches, merges', async (t) => {
  const service = await startService(t);
  const runs = [aRun(), aRun()];
  await createAll(service, runs);
  const { body: before } = await service.request('GET', '/metrics');
  await service.request('POST', '/api/v1/runs', runs[0]);
  await service.request('POST', '/api/v1/runs', aRun({ status: 'done' }));
  await service.request('POST', '/api/v1/runs/batch', [runs[0], {}]);
  await service.request('PATCH', pathOf(runs[0]?.event_id ?? ''), { status: 'failed' });
  const end = { ...runs[1], status: 'success', updated_at: '2999-01-01T00:00:00Z' };
  await service.request('POST', '/api/v1/runs/batch?on_duplicate=merge', [end]);
  assert.deepEqual((await service.request('GET', '/metrics')).body, before);
});

test('counts and names are still there after a restart', async (t) => {
  const first = await startService(t);
  await createAll(first, [aRun({ agent_name: 'a' }), aRun({ agent_name: 'b' })]);
  const paths = ['/metrics', '/api/v1/metadata'];
  const before = await Promise.all(paths.map((path) => first.request('GET', path)));
  await first.close();
  const second = await startService(t, {}, first.directory);
  const after = await Promise.all(paths.map((path) => second.request('GET', path)));
  assert.deepEqual(
    after.map(({ body }) => body),
    before.map(({ body }) => body),
  );
});
