import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListFilter } from '../../../src/actors/protocol.ts';
import { fewPlan, plansOf, walksLong } from '../../../src/actors/readers/plan.ts';

const indexesOf = (filter: ListFilter, mergeable = true): string[] =>
  plansOf(filter, mergeable).map(({ index }) => index);

const CHOSEN: readonly [filter: ListFilter, index: string][] = [
  [{}, 'idx_runs_created_desc'],
  [{ created_before: 'b', created_after: 'a' }, 'idx_runs_created_desc'],
  [{ product: 'x', environment: 'e', run_id_contains: 'r', exclude_job_type: 'j' }, 'idx_runs_created_desc'],
  [{ start_time_from: 's' }, 'idx_runs_created_desc'],
  [{ statuses: ['success'] }, 'idx_runs_status'],
  [{ statuses: [] }, 'idx_runs_created_desc'],
  [{ agent_name: 'a' }, 'idx_runs_agent_created'],
  [{ agent_name: 'a', statuses: ['success'] }, 'idx_runs_agent_status_created'],
  [{ job_type: 'j' }, 'idx_runs_job_type'],
  [{ job_type: 'j', statuses: ['success', 'failure'] }, 'idx_runs_job_type'],
  [{ website: 'w', job_type: 'j' }, 'idx_runs_website'],
  [{ agent_name: 'a', website: 'w' }, 'idx_runs_agent_created'],
  [{ insight_id: 'i', agent_name: 'a', statuses: ['success'] }, 'idx_runs_insight'],
  [{ parent_run_id: 'p', insight_id: 'i' }, 'idx_runs_parent'],
  [{ git_commit_hash: 'c', parent_run_id: 'p' }, 'idx_runs_parent'],
  [{ git_commit_hash: 'c' }, 'idx_runs_created_desc'],
  [{ run_id: 'r', git_commit_hash: 'c', agent_name: 'a' }, 'idx_runs_run_id'],
  [{ run_id: '' }, 'idx_runs_run_id'],
];

for (const [filter, index] of CHOSEN) {
  test(`${JSON.stringify(filter)} is read along ${index}`, () => assert.deepEqual(indexesOf(filter), [index]));
}

test('several statuses are one plan each where an index has them, if the page is near enough to merge', () => {
  const statuses = ['success', 'failure', 'running'];
  assert.deepEqual(indexesOf({ statuses }), ['idx_runs_status', 'idx_runs_status', 'idx_runs_status']);
  assert.deepEqual(
    plansOf({ statuses }, true).map(({ fixed }) => fixed.values),
    [['success'], ['failure'], ['running']],
  );
  assert.deepEqual(indexesOf({ statuses, agent_name: 'a' })[2], 'idx_runs_agent_status_created');
  assert.deepEqual(indexesOf({ statuses }, false), ['idx_runs_created_desc']);
  assert.deepEqual(plansOf({ statuses }, false)[0]?.rest.values, statuses);
});

test('one status needs no merging, however deep the page', () => {
  assert.deepEqual(indexesOf({ statuses: ['success'] }, false), ['idx_runs_status']);
});

test('each filter is answered once, by the index or by testing, and a value is never part of the SQL', () => {
  const names = [
    'agent_name',
    'job_type',
    'exclude_job_type',
    'run_id',
    'run_id_contains',
    'parent_run_id',
    'insight_id',
  ];
  names.push('product', 'website', 'environment', 'git_commit_hash', 'start_time_from', 'start_time_to');
  const values = names.map((name) => `'${name}' value`);
  const filter: ListFilter = Object.fromEntries(names.map((name, index) => [name, values[index] as string]));
  const [plan] = plansOf({ ...filter, statuses: ['success'], created_after: 'a', created_before: 'b' }, true);
  assert.ok(plan);
  assert.deepEqual([...plan.fixed.values, ...plan.rest.values].sort(), [...values, 'success'].sort());
  assert.ok(!`${plan.fixed.sql}${plan.rest.sql}`.includes('value'));
  assert.deepEqual([plan.above, plan.below], ['a', 'b']);
});

test('a bound of start_time and a commit have another way, and nothing else has', () => {
  assert.equal(fewPlan({ agent_name: 'a', created_after: 'a' }), undefined);
  const from = fewPlan({ start_time_from: 's', agent_name: 'a', statuses: ['success'] });
  assert.deepEqual([from?.index, from?.within.values], ['idx_runs_start', ['s']]);
  assert.ok(['a', 'success'].every((value) => from?.all.values.includes(value)));
  assert.deepEqual(fewPlan({ start_time_to: 's' })?.within.values, ['', 's']);
  const commit = fewPlan({ git_commit_hash: 'c', start_time_to: 's', product: 'p' });
  assert.deepEqual([commit?.index, commit?.within.values], ['idx_runs_commit', ['c']]);
  assert.ok(['s', 'p'].every((value) => commit?.all.values.includes(value)));
});

test('a list of one commit need not wait behind searches that no index serves', () => {
  const task = { limit: 100, offset: 0 };
  assert.equal(walksLong({ ...task, filter: { git_commit_hash: 'c', product: 'p' } }), false);
  assert.equal(walksLong({ ...task, filter: { product: 'p' } }), true);
});
