import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, assertInvalid, create, pathOf, rowOf, serviceOfFile, shown } from '../support/http.ts';

const service = serviceOfFile();

// All that PATCH takes: as sent, and as stored.
const PATCHES: Record<string, [unknown, unknown]> = {
  status: ['completed', 'success'],
  end_time: ['2026-01-10T14:00:00+02:00', '2026-01-10T12:00:00.000000+00:00'],
  duration_ms: ['1500', 1500],
  error_summary: ['summary', 'summary'],
  error_details: ['details', 'details'],
  output_summary: ['output', 'output'],
  input_summary: ['input', 'input'],
  items_discovered: [1, 1],
  items_succeeded: ['2', 2],
  items_failed: [3, 3],
  items_skipped: [4, 4],
  metrics_json: ['{"a": 1}', { a: 1 }],
  context_json: [{ b: [2] }, { b: [2] }],
  git_commit_hash: ['abcdef1', 'abcdef1'],
  git_commit_source: ['ci', 'ci'],
  git_commit_author: ['author', 'author'],
  git_commit_timestamp: ['as sent', 'as sent'],
};

for (const [name, [sent, stored]] of Object.entries(PATCHES)) {
  test(`PATCH sets ${name} and nothing else`, async () => {
    const { event_id } = await create(service(), { updated_at: '2020-01-01T00:00:00Z' });
    const before = await shown(service(), event_id);
    const answer = await service().request('PATCH', pathOf(event_id), { [name]: sent });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, { event_id, updated: true, fields_updated: [name] });
    const { updated_at, ...after } = await shown(service(), event_id);
    const { updated_at: earlier, ...same } = before;
    assert.deepEqual(after, { ...same, [name]: stored });
    assert.ok(String(updated_at) > String(earlier));
  });
}

test('PATCH sets all its fields at once and names them', async () => {
  const { event_id } = await create(service());
  const sent = Object.fromEntries(Object.entries(PATCHES).map(([name, [value]]) => [name, value]));
  const { body } = await service().request('PATCH', pathOf(event_id), sent);
  const { fields_updated, ...rest } = body as { fields_updated: string[] };
  assert.deepEqual(rest, { event_id, updated: true });
  assert.deepEqual(fields_updated.sort(), Object.keys(PATCHES).sort());
});

test('PATCH takes every status and alias', async () => {
  const { event_id } = await create(service());
  for (const [sent, stored] of [
    ['failed', 'failure'],
    ['succeeded', 'success'],
    ['completed', 'success'],
    ['cancelled', 'cancelled'],
    ['timeout', 'timeout'],
    ['partial', 'partial'],
    ['running', 'running'],
  ]) {
    const { status } = await service().request('PATCH', pathOf(event_id), { status: sent });
    assert.equal(status, 200);
    assert.equal((await shown(service(), event_id)).status, stored);
  }
});

test('null is not given: it is not named and takes nothing away', async () => {
  const { event_id } = await create(service(), { error_summary: 'kept', items_failed: 3 });
  const patch = { error_summary: null, items_failed: null, duration_ms: 7 };
  const { body } = await service().request('PATCH', pathOf(event_id), patch);
  assert.deepEqual((body as { fields_updated: string[] }).fields_updated, ['duration_ms']);
  const { error_summary, items_failed, duration_ms } = await shown(service(), event_id);
  assert.deepEqual([error_summary, items_failed, duration_ms], ['kept', 3, 7]);
});

test('an empty text clears a field of text, and zero is given', async () => {
  const { event_id } = await create(service(), { error_summary: 'gone', items_failed: 3 });
  await service().request('PATCH', pathOf(event_id), { error_summary: '', items_failed: 0 });
  const { error_summary, items_failed } = await shown(service(), event_id);
  assert.deepEqual([error_summary, items_failed], [null, 0]);
});

test('nothing to update answers 400 and changes nothing', async (t) => {
  const { event_id } = await create(service());
  const before = rowOf(t, service(), event_id);
  for (const body of [{}, { status: null }, { product: 'x', run_id: 'y', created_at: '2026-01-01', unknown: 1 }]) {
    assertError(await service().request('PATCH', pathOf(event_id), body), 400, 'No valid fields to update');
  }
  assert.deepEqual(rowOf(t, service(), event_id), before);
});

test('fields that PATCH does not take are ignored beside those that it does', async () => {
  const { event_id, run_id } = await create(service(), { product: 'kept' });
  const patch = { event_id: 'other', run_id: 'other', product: 'x', agent_name: 5, start_time: 'x', items_failed: 1 };
  const { body } = await service().request('PATCH', pathOf(event_id), patch);
  assert.deepEqual(body, { event_id, updated: true, fields_updated: ['items_failed'] });
  const run = await shown(service(), event_id);
  assert.deepEqual([run.run_id, run.product, run.items_failed], [run_id, 'kept', 1]);
});

test('an unknown run answers 404, also where nothing is to be updated', async () => {
  for (const body of [{ status: 'success' }, {}, { status: null }]) {
    assertError(await service().request('PATCH', pathOf('nobody'), body), 404, 'Run not found: nobody');
  }
});

test('a wrong value answers 422, also for an unknown run, and changes nothing', async (t) => {
  const { event_id } = await create(service());
  const before = rowOf(t, service(), event_id);
  const patch = { status: 'done', duration_ms: -1, output_summary: 'fine' };
  for (const id of [event_id, 'nobody']) {
    assertInvalid(await service().request('PATCH', pathOf(id), patch), ['body.status', 'body.duration_ms']);
    assertInvalid(await service().request('PATCH', pathOf(id), '[]'), ['body']);
    assertInvalid(await service().request('PATCH', pathOf(id), '{'), ['body']);
  }
  assert.deepEqual(rowOf(t, service(), event_id), before);
});

test('a changed run moves between the lists of its statuses', async () => {
  const { event_id } = await create(service(), { agent_name: 'mover' });
  const listed = async (status: string): Promise<unknown[]> => {
    const { body } = await service().request('GET', `/api/v1/runs?agent_name=mover&status=${status}`);
    return (body as { event_id: string }[]).map((run) => run.event_id);
  };
  assert.deepEqual([await listed('running'), await listed('failed')], [[event_id], []]);
  await service().request('PATCH', pathOf(event_id), { status: 'failed' });
  assert.deepEqual([await listed('running'), await listed('failed')], [[], [event_id]]);
});

test('integers beyond 2^53 in a patched JSON field come out digit by digit', async () => {
  const { event_id } = await create(service());
  await service().request('PATCH', pathOf(event_id), '{"context_json":{"big":12345678901234567890}}');
  const text = await (await fetch(service().url + pathOf(event_id))).text();
  assert.ok(text.includes('"context_json":{"big":12345678901234567890}'), text);
});

test('a late record of the start does not undo what PATCH set', async () => {
  const run = await create(service(), { updated_at: '2026-01-10T12:00:00Z' });
  await service().request('PATCH', pathOf(run.event_id), { status: 'success', items_failed: 0 });
  const late = { ...run, status: 'running', items_failed: 9, updated_at: '2026-01-10T12:01:00Z' };
  await service().request('POST', '/api/v1/runs/batch?on_duplicate=merge', [late]);
  const { status, items_failed } = await shown(service(), run.event_id);
  assert.deepEqual([status, items_failed], ['success', 0]);
});
