import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertError, createAll, type Run, RUNS, serviceOfFile } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const STATUSES = ['running', 'success', 'failure'];
const JOBS = ['build', 'test'];
const AGENTS = ['one', 'two'];

interface Listed extends Run {
  agent_name: string;
  job_type: string;
  status: string;
  created_at: string;
  start_time: string;
}

// 150 runs with few different times, so that pages end within ties.
const all: Listed[] = Array.from({ length: 150 }, (_, index) => ({
  ...aRun(),
  event_id: `run-${index}`,
  agent_name: AGENTS[index % 2] as string,
  job_type: JOBS[(index >> 1) % 2] as string,
  status: STATUSES[index % 3] as string,
  created_at: `2026-01-10T12:00:0${(index * 7) % 5}.000000+00:00`,
  start_time: `2026-01-10T11:00:0${(index * 3) % 4}.000000+00:00`,
}));
const newestFirst = all.toSorted((a, b) => (a.created_at === b.created_at ? 0 : a.created_at < b.created_at ? 1 : -1));

const service = serviceOfFile({}, all);

async function page(path: string): Promise<{ ids: string[]; next: string | undefined }> {
  const { status, body, headers } = await service().request('GET', path);
  assert.equal(status, 200, JSON.stringify(body));
  const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
  return { ids: (body as Listed[]).map(({ event_id }) => event_id), next };
}

/** Follows the Link headers; asserts that every page but the last is full. */
async function walk(query: URLSearchParams, limit: number): Promise<string[]> {
  const found: string[] = [];
  let path: string | undefined = `${RUNS}?${query.toString()}`;
  while (path !== undefined) {
    const { ids, next } = await page(path);
    found.push(...ids);
    if (next !== undefined) assert.equal(ids.length, limit, 'a page before the last is full');
    path = next;
  }
  return found;
}

test('without a limit 100 runs come, and a link to the rest', async () => {
  const first = await page(RUNS);
  assert.deepEqual(
    first.ids,
    newestFirst.slice(0, 100).map(({ event_id }) => event_id),
  );
  const second = await page(String(first.next));
  assert.equal(second.ids.length, 50);
  assert.equal(second.next, undefined);
});

test('the last page has no link, even where it is full', async () => {
  assert.equal((await page(`${RUNS}?limit=150`)).next, undefined);
  assert.notEqual((await page(`${RUNS}?limit=149`)).next, undefined);
  assert.equal((await page(`${RUNS}?limit=50&offset=100`)).next, undefined);
});

test('the link keeps the filters, and starts behind the page an offset led to', async () => {
  const { ids, next } = await page(`${RUNS}?agent_name=one&status=failed&status=success&limit=4&offset=3`);
  const query = new URL(String(next), service().url).searchParams;
  assert.deepEqual(query.getAll('status'), ['failed', 'success']);
  assert.deepEqual([query.get('agent_name'), query.get('limit'), query.get('offset')], ['one', '4', null]);
  const wanted = newestFirst.filter((run) => run.agent_name === 'one' && run.status !== 'running');
  const expected = wanted.map(({ event_id }) => event_id);
  assert.deepEqual([...ids, ...(await page(String(next))).ids], expected.slice(3, 11));
});

const times = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
const questions = fc.record({
  agent: fc.option(fc.constantFrom(...AGENTS), { nil: undefined }),
  job: fc.option(fc.constantFrom(...JOBS), { nil: undefined }),
  statuses: fc.subarray(STATUSES),
  after: times,
  below: times,
  from: times,
  to: times,
  offset: fc.constantFrom(0, 0, 1, 7, 149, 150, 5_000),
  limit: fc.constantFrom(1, 3, 10, 64, 1000),
});
type Question = typeof questions extends fc.Arbitrary<infer T> ? T : never;

const second = (time: number | undefined, hour: number): string => `2026-01-10T${hour}:00:0${time}.000000+00:00`;

function queryOf({ agent, job, statuses, after, below, from, to, offset, limit }: Question): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit), offset: String(offset) });
  if (agent !== undefined) query.set('agent_name', agent);
  if (job !== undefined) query.set('job_type', job);
  for (const status of statuses) query.append('status', status);
  if (after !== undefined) query.set('created_after', second(after, 12));
  if (below !== undefined) query.set('created_before', second(below, 12));
  if (from !== undefined) query.set('start_time_from', second(from, 11));
  if (to !== undefined) query.set('start_time_to', second(to, 11));
  return query;
}

function answerOf({ agent, job, statuses, after, below, from, to, offset }: Question): string[] {
  const matching = newestFirst.filter(
    (run) =>
      (agent === undefined || run.agent_name === agent) &&
      (job === undefined || run.job_type === job) &&
      (statuses.length === 0 || statuses.includes(run.status)) &&
      (after === undefined || run.created_at > second(after, 12)) &&
      (below === undefined || run.created_at < second(below, 12)) &&
      (from === undefined || run.start_time >= second(from, 11)) &&
      (to === undefined || run.start_time <= second(to, 11)),
  );
  return matching.slice(offset).map(({ event_id }) => event_id);
}

test('walking the pages of any filter gives every run that matches once and in order', async () => {
  const check = async (question: Question): Promise<void> =>
    assert.deepEqual(await walk(queryOf(question), question.limit), answerOf(question));
  await fc.assert(fc.asyncProperty(questions, check), { numRuns: 60 });
});

test('runs that arrive while pages are walked neither repeat nor hide the others', async () => {
  const first = await page(`${RUNS}?agent_name=one&limit=10`);
  await createAll(service(), [aRun({ agent_name: 'one', created_at: '2026-01-10T13:00:00Z' })]);
  const rest = await walk(new URL(String(first.next), service().url).searchParams, 10);
  const expected = newestFirst.filter(({ agent_name }) => agent_name === 'one').map(({ event_id }) => event_id);
  assert.deepEqual([...first.ids, ...rest], expected);
});

for (const [query, type, msg] of [
  ['limit=0', 'greater_than_equal', 'Input should be greater than or equal to 1'],
  ['limit=-1', 'greater_than_equal', 'Input should be greater than or equal to 1'],
  ['limit=1001', 'less_than_equal', 'Input should be less than or equal to 1000'],
  ['limit=ten', 'int_parsing', 'Input should be a whole number'],
  ['limit=1.5', 'int_parsing', 'Input should be a whole number'],
  ['offset=-1', 'greater_than_equal', 'Input should be greater than or equal to 0'],
  ['offset=x', 'int_parsing', 'Input should be a whole number'],
  ['offset=99999999999999999999', 'less_than_equal', 'Input should be less than or equal to 9007199254740991'],
  ['cursor=x', 'cursor_parsing', 'Input should be the cursor of a Link header, unchanged'],
  ['cursor=MjAyNnwx', 'cursor_parsing', 'Input should be the cursor of a Link header, unchanged'],
] as const) {
  test(`${query} answers 422 and names the parameter`, async () => {
    const [name = '', input = ''] = query.split('=');
    const answer = await service().request('GET', `${RUNS}?${query}`);
    assertError(answer, 422, [{ type, loc: ['query', name], msg, input }]);
  });
}

test('an offset beyond the end gives an empty list', async () => {
  for (const offset of ['1000', '60000', '9007199254740991']) {
    for (const filter of ['', '&status=failure&status=success', '&job_type=build&product=x']) {
      const path = `${RUNS}?offset=${offset}${filter}`;
      assert.deepEqual(await page(path), { ids: [], next: undefined }, path);
    }
  }
});
