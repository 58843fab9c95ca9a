import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { assertError, createAll, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { aRun, type Service, startService } from '../support/service.ts';

const service = serviceOfFile();

/** The event_ids of a list. */
async function list(query: string, at: Service = service()): Promise<string[]> {
  const { status, body } = await at.request('GET', `${RUNS}?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { event_id: string }[]).map(({ event_id }) => event_id);
}

/** A service of its own with runs a, b, c, created an hour apart in this order. */
async function withThree(t: TestContext, fields: readonly Record<string, unknown>[]): Promise<Service> {
  const own = await startService(t);
  const runs = fields.map((each, index) =>
    aRun({ event_id: 'abc'[index], created_at: `2026-01-10T1${index}:00:00Z`, ...each }),
  );
  await createAll(own, runs);
  return own;
}

test('a service without runs lists none', async (t) => {
  const own = await startService(t);
  const answer = await own.request('GET', RUNS);
  assert.deepEqual([answer.status, answer.body, answer.headers.get('link')], [200, [], null]);
});

test('the list is newest first, and of the same time in the order of arrival', async (t) => {
  const own = await startService(t);
  const times = ['12:00', '13:00', '12:00', '11:00', '13:00'];
  await createAll(
    own,
    times.map((time, index) => aRun({ event_id: String(index), created_at: `2026-01-10T${time}:00Z` })),
  );
  assert.deepEqual(await list('', own), ['1', '4', '0', '2', '3']);
});

test('a run in the list is the run that GET shows', async () => {
  const run = aRun({ agent_name: 'same', metrics_json: { a: 1 }, git_repo: 'git@github.com:o/r.git', api_posted: 1 });
  await createAll(service(), [run]);
  const { body } = await service().request('GET', `${RUNS}?agent_name=same`);
  assert.deepEqual(body, [await shown(service(), run.event_id)]);
});

for (const name of [
  'agent_name',
  'job_type',
  'run_id',
  'parent_run_id',
  'insight_id',
  'product',
  'website',
  'environment',
  'git_commit_hash',
]) {
  test(`the list is filtered by ${name}, exactly`, async (t) => {
    const own = await withThree(t, [{ [name]: 'x &+%' }, { [name]: 'X &+%' }, { [name]: 'x &+% ' }]);
    assert.deepEqual(await list(new URLSearchParams({ [name]: 'x &+%' }).toString(), own), ['a']);
    assert.deepEqual(await list(`${name}=x`, own), []);
    assert.deepEqual(await list(`${name}=`, own), ['c', 'b', 'a'], 'a blank parameter is none');
  });
}

test('exclude_job_type leaves one job type out', async (t) => {
  const own = await withThree(t, [{ job_type: 'x' }, { job_type: 'y' }, { job_type: 'x' }]);
  assert.deepEqual(await list('exclude_job_type=x', own), ['b']);
});

test('run_id_contains finds a part of the run_id, with no wildcards', async (t) => {
  const own = await withThree(t, [{ run_id: '50%_off' }, { run_id: '50x_off' }, { run_id: 'OFF' }]);
  assert.deepEqual(await list('run_id_contains=0%25_o', own), ['a']);
  assert.deepEqual(await list('run_id_contains=off', own), ['b', 'a']);
  assert.deepEqual(await list('run_id_contains=*', own), []);
});

test('status filters by canonical name and alias, and may be repeated', async (t) => {
  const own = await withThree(t, [{ status: 'success' }, { status: 'failure' }, { status: 'running' }]);
  for (const [query, expected] of [
    ['status=success', ['a']],
    ['status=completed', ['a']],
    ['status=succeeded', ['a']],
    ['status=failed', ['b']],
    ['status=failure', ['b']],
    ['status=failed&status=completed', ['b', 'a']],
    ['status=success&status=completed&status=running', ['c', 'a']],
    ['status=timeout', []],
    ['status=', ['c', 'b', 'a']],
    ['status=failed&status=running&job_type=check&agent_name=tester', ['c', 'b']],
  ] as const) {
    assert.deepEqual(await list(query, own), expected, query);
  }
});

test('an unknown status answers 400 and names the known ones', async () => {
  const known = 'running, success, failure, partial, timeout, cancelled, failed, completed, succeeded';
  for (const query of ['status=done', 'status=success&status=done']) {
    const answer = await service().request('GET', `${RUNS}?${query}`);
    assertError(answer, 400, `Invalid status: done. Must be one of: ${known}`);
  }
});

test('created_before and created_after leave out the time itself', async (t) => {
  const own = await withThree(t, [{}, {}, {}]);
  assert.deepEqual(await list('created_before=2026-01-10T12:00:00Z', own), ['b', 'a']);
  assert.deepEqual(await list('created_after=2026-01-10T10:00:00Z', own), ['c', 'b']);
  assert.deepEqual(await list('created_after=2026-01-10T10:00:00Z&created_before=2026-01-10T12:00:00Z', own), ['b']);
});

test('start_time_from and start_time_to include the time itself', async (t) => {
  const at = (hour: number): Record<string, unknown> => ({ start_time: `2026-01-10T${hour}:00:00Z` });
  const own = await withThree(t, [at(10), at(11), at(12)]);
  assert.deepEqual(await list('start_time_from=2026-01-10T11:00:00Z', own), ['c', 'b']);
  assert.deepEqual(await list('start_time_to=2026-01-10T11:00:00Z', own), ['b', 'a']);
  assert.deepEqual(await list('start_time_from=2026-01-10T11:00:00Z&start_time_to=2026-01-10T11:00:00Z', own), ['b']);
});

test('a time of a filter may have any offset, its + as it is or arriving as a space', async (t) => {
  const own = await withThree(t, [{}, {}, {}]);
  for (const time of [
    '2026-01-10T11:00:00Z',
    '2026-01-10T11:00:00',
    '2026-01-10%2011:00:00',
    '2026-01-10T13:00:00%2B02:00',
    '2026-01-10T13:00:00+02:00',
    '2026-01-10T13:00:00.000000+02:00',
    '2026-01-10+13:00:00+02:00',
    '2026-01-10T13:00:00+0200',
    '2026-01-10T13:00:00%2B02',
    '2026-01-10T13:00:00+02',
    '2026-01-10T13:00+02:00',
    '20260110T130000+0200',
    '2026-01-10T08:30:00-02:30',
  ]) {
    assert.deepEqual(await list(`created_after=${time}`, own), ['c'], time);
  }
});

test('a time that is none answers 400 and names the parameter', async () => {
  for (const name of ['created_before', 'created_after', 'start_time_from', 'start_time_to']) {
    for (const value of ['yesterday', '2026-02-30', '1768046400', '2026-01-10T25:00:00Z']) {
      const detail = `Invalid ${name}: ${value}. Use ISO 8601, such as 2026-01-10T12:00:00Z`;
      assertError(await service().request('GET', `${RUNS}?${name}=${value}`), 400, detail);
    }
  }
});
