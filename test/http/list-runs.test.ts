import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, createAll, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { aRun, startService } from '../support/service.ts';

const service = serviceOfFile();

/** The event_ids of a list; of all that is stored only those that begin with `mark`, without it. */
async function list(query: string, mark = ''): Promise<string[]> {
  const { status, body } = await service().request('GET', `${RUNS}?limit=1000&${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  const ids = (body as { event_id: string }[]).map(({ event_id }) => event_id);
  return ids.filter((id) => id.startsWith(mark)).map((id) => id.slice(mark.length));
}

let marks = 0;

/** Stores runs a, b, c, created an hour apart in this order. @returns what lists of them, among the runs of other tests */
async function withThree(
  fields: readonly Record<string, unknown>[],
): Promise<(query: string) => ReturnType<typeof list>> {
  const mark = `${++marks}:`;
  const runs = fields.map((each, index) =>
    aRun({ event_id: `${mark}${'abc'[index]}`, created_at: `2026-01-10T1${index}:00:00Z`, ...each }),
  );
  await createAll(service(), runs);
  return (query) => list(query, mark);
}

test('a service without runs lists none', async (t) => {
  const own = await startService(t);
  const answer = await own.request('GET', RUNS);
  assert.deepEqual([answer.status, answer.body, answer.headers.get('link')], [200, [], null]);
});

test('the list is newest first, and of the same time in the order of arrival', async () => {
  const times = ['12:00', '13:00', '12:00', '11:00', '13:00'];
  await createAll(
    service(),
    times.map((time, index) => aRun({ event_id: `order-${index}`, created_at: `2026-01-10T${time}:00Z` })),
  );
  assert.deepEqual(await list('', 'order-'), ['1', '4', '0', '2', '3']);
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
  test(`the list is filtered by ${name}, exactly`, async () => {
    const listed = await withThree([{ [name]: 'x &+%' }, { [name]: 'X &+%' }, { [name]: 'x &+% ' }]);
    assert.deepEqual(await listed(new URLSearchParams({ [name]: 'x &+%' }).toString()), ['a']);
    assert.deepEqual(await listed(`${name}=x`), []);
    assert.deepEqual(await listed(`${name}=`), ['c', 'b', 'a'], 'a blank parameter is none');
  });
}

test('exclude_job_type leaves one job type out', async () => {
  const listed = await withThree([{ job_type: 'x' }, { job_type: 'y' }, { job_type: 'x' }]);
  assert.deepEqual(await listed('exclude_job_type=x'), ['b']);
});

test('run_id_contains finds a part of the run_id, with no wildcards', async () => {
  const listed = await withThree([{ run_id: '50%_off' }, { run_id: '50x_off' }, { run_id: 'OFF' }]);
  assert.deepEqual(await listed('run_id_contains=0%25_o'), ['a']);
  assert.deepEqual(await listed('run_id_contains=off'), ['b', 'a']);
  assert.deepEqual(await listed('run_id_contains=*'), []);
});

test('status filters by canonical name and alias, and may be repeated', async () => {
  const listed = await withThree([{ status: 'success' }, { status: 'failure' }, { status: 'running' }]);
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
    assert.deepEqual(await listed(query), expected, query);
  }
});

test('an unknown status answers 400 and names the known ones', async () => {
  const known = 'running, success, failure, partial, timeout, cancelled, failed, completed, succeeded';
  for (const query of ['status=done', 'status=success&status=done']) {
    const answer = await service().request('GET', `${RUNS}?${query}`);
    assertError(answer, 400, `Invalid status: done. Must be one of: ${known}`);
  }
});

test('created_before and created_after leave out the time itself', async () => {
  const listed = await withThree([{}, {}, {}]);
  assert.deepEqual(await listed('created_before=2026-01-10T12:00:00Z'), ['b', 'a']);
  assert.deepEqual(await listed('created_after=2026-01-10T10:00:00Z'), ['c', 'b']);
  assert.deepEqual(await listed('created_after=2026-01-10T10:00:00Z&created_before=2026-01-10T12:00:00Z'), ['b']);
});

test('start_time_from and start_time_to include the time itself', async () => {
  const at = (hour: number): Record<string, unknown> => ({ start_time: `2026-01-10T${hour}:00:00Z` });
  const listed = await withThree([at(10), at(11), at(12)]);
  assert.deepEqual(await listed('start_time_from=2026-01-10T11:00:00Z'), ['c', 'b']);
  assert.deepEqual(await listed('start_time_to=2026-01-10T11:00:00Z'), ['b', 'a']);
  assert.deepEqual(await listed('start_time_from=2026-01-10T11:00:00Z&start_time_to=2026-01-10T11:00:00Z'), ['b']);
});

test('a time of a filter may have any offset, its + as it is or arriving as a space', async () => {
  const listed = await withThree([{}, {}, {}]);
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
    assert.deepEqual(await listed(`created_after=${time}`), ['c'], time);
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
