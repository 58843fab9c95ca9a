import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLUMNS } from '../../src/run.ts';
import { assertInvalid, create, issuesOf, rowOf, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

// Every field that POST takes, each with a value that no default has.
const COMPLETE = {
  event_id: 'complete-event',
  run_id: 'complete-run',
  schema_version: 6,
  created_at: '2026-01-10T12:00:01.000001+00:00',
  updated_at: '2026-01-10T12:00:02.000002+00:00',
  start_time: '2026-01-10T12:00:03.000003+00:00',
  end_time: '2026-01-10T12:00:04.000004+00:00',
  agent_name: 'agent',
  agent_owner: 'owner',
  job_type: 'job',
  status: 'partial',
  product: 'product',
  product_family: 'family',
  platform: 'platform',
  subdomain: 'subdomain',
  website: 'website',
  website_section: 'section',
  item_name: 'item',
  items_discovered: 11,
  items_succeeded: 12,
  items_failed: 13,
  items_skipped: 14,
  duration_ms: 15,
  input_summary: 'input',
  output_summary: 'output',
  source_ref: 'source',
  target_ref: 'target',
  error_summary: 'error',
  error_details: 'details',
  git_repo: 'https://github.com/owner/repo.git',
  git_branch: 'branch',
  git_commit_hash: 'abcdef1234567',
  git_run_tag: 'tag',
  git_commit_source: 'llm',
  git_commit_author: 'author',
  git_commit_timestamp: '2026-01-10 13:00:05 +0100',
  host: 'host',
  environment: 'environment',
  trigger_type: 'trigger',
  metrics_json: { count: 1 },
  context_json: { nested: { list: [1, null, 'x'] } },
  api_posted: true,
  api_posted_at: 'yesterday',
  api_retry_count: 16,
  insight_id: 'insight',
  parent_run_id: 'parent',
};

test('a new run answers 201 with its ids', async (t) => {
  const run = aRun();
  const answer = await service().request('POST', RUNS, run);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.deepEqual(answer.body, { status: 'created', event_id: run.event_id, run_id: run.run_id });
  assert.equal(rowOf(t, service(), run.event_id)?.run_id, run.run_id);
});

test('a known event_id answers 200 and leaves the stored run as it is', async (t) => {
  const run = await create(service(), { product: 'first' });
  const before = rowOf(t, service(), run.event_id);
  const answer = await service().request('POST', RUNS, { ...run, run_id: 'other', product: 'second' });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, {
    status: 'duplicate',
    event_id: run.event_id,
    message: 'Event already exists (idempotent)',
  });
  assert.deepEqual(rowOf(t, service(), run.event_id), before);
});

test('one run sent many times at once is created once', async () => {
  const run = aRun();
  const answers = await Promise.all(Array.from({ length: 20 }, () => service().request('POST', RUNS, run)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array<number>(19).fill(200), 201]);
});

test('every field that is sent is stored and comes back', async (t) => {
  assert.deepEqual(Object.keys(COMPLETE), [...COLUMNS], 'the test names every field');
  await create(service(), COMPLETE);
  const { id, commit_url, repo_url, ...fields } = await shown(service(), COMPLETE.event_id);
  assert.deepEqual(fields, COMPLETE);
  assert.equal(repo_url, 'https://github.com/owner/repo');
  assert.equal(commit_url, 'https://github.com/owner/repo/commit/abcdef1234567');
  const row = rowOf(t, service(), COMPLETE.event_id) ?? {};
  // Beside what is sent there are columns for what follows from it.
  const stored = Object.fromEntries([...COLUMNS, 'id', 'defaulted'].map((name) => [name, row[name]]));
  assert.deepEqual(stored, {
    ...COMPLETE,
    id,
    defaulted: 0,
    api_posted: 1,
    metrics_json: JSON.stringify(COMPLETE.metrics_json),
    context_json: JSON.stringify(COMPLETE.context_json),
  });
});

test('a run of the required fields alone gets the defaults', async () => {
  const before = new Date().toISOString().slice(0, 23);
  const run = await create(service());
  const after = new Date().toISOString().slice(0, 23);
  const fields = await shown(service(), run.event_id);
  const { id, created_at, updated_at } = fields;
  assert.ok(Number.isInteger(id));
  assert.equal(updated_at, created_at);
  assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
  assert.ok(String(created_at).slice(0, 23) >= before && String(created_at).slice(0, 23) <= after);
  const zeros = [
    'items_discovered',
    'items_succeeded',
    'items_failed',
    'items_skipped',
    'duration_ms',
    'api_retry_count',
  ];
  assert.deepEqual(fields, {
    ...Object.fromEntries([...COLUMNS, 'commit_url', 'repo_url'].map((name) => [name, null])),
    ...Object.fromEntries(zeros.map((name) => [name, 0])),
    ...{ id, created_at, updated_at, status: 'running', schema_version: 8, api_posted: false },
    ...run,
    start_time: '2026-01-10T12:00:00.000000+00:00',
  });
});

test('null means not given, for every field that is not required', async () => {
  const required = new Set(['event_id', 'run_id', 'agent_name', 'job_type', 'start_time']);
  const nulls = Object.fromEntries(COLUMNS.filter((name) => !required.has(name)).map((name) => [name, null]));
  const run = await create(service(), nulls);
  const fields = await shown(service(), run.event_id);
  assert.deepEqual(
    [fields.status, fields.duration_ms, fields.items_failed, fields.api_posted],
    ['running', 0, 0, false],
  );
  assert.match(String(fields.created_at), /\+00:00$/);
});

test('unknown fields are ignored', async () => {
  const run = await create(service(), { surprise: { deep: ['x'] }, id: 123_456_789, defaulted: 7, commit_url: 'x' });
  const fields = await shown(service(), run.event_id);
  assert.equal(fields.surprise, undefined);
  assert.notEqual(fields.id, 123_456_789);
  assert.equal(fields.commit_url, null);
});

for (const name of ['event_id', 'run_id', 'agent_name', 'job_type', 'start_time']) {
  test(`a run without ${name} answers 422 and names it`, async () => {
    const answer = await service().request('POST', RUNS, aRun({ [name]: undefined }));
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.body, {
      detail: [{ type: 'missing', loc: ['body', name], msg: 'Field required', input: null }],
    });
    assertInvalid(await service().request('POST', RUNS, aRun({ [name]: null })), [`body.${name}`], 'null');
  });
}

test('every wrong field of a run is named in one answer', async () => {
  const run = aRun({ status: 'done', items_failed: -1, end_time: 'soon', metrics_json: [], host: 5, agent_name: '' });
  const answer = await service().request('POST', RUNS, run);
  const fields = ['status', 'items_failed', 'end_time', 'metrics_json', 'host', 'agent_name'];
  assertInvalid(
    answer,
    fields.map((name) => `body.${name}`),
  );
  assert.deepEqual(
    issuesOf(answer).find(({ loc }) => loc[1] === 'items_failed'),
    {
      type: 'greater_than_equal',
      loc: ['body', 'items_failed'],
      msg: 'Input should be greater than or equal to 0',
      input: -1,
    },
  );
});
