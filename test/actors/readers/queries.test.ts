import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inside } from '../../../src/actors/readers/walk.ts';
import { metadata } from '../../../src/actors/readers/names.ts';
import { metrics, run, series, source } from '../../../src/actors/readers/queries.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { aRecord, create, groupOf, groupWriter, memoryDatabase } from '../../support/database.ts';
import { freely } from '../../support/lists.ts';

/** A database that these records were written to, rollups and all. */
function holding(...records: Record<string, unknown>[]): Statements {
  const db = memoryDatabase();
  defineFunctions(db);
  groupWriter(db).execute(groupOf(...records.map(create)));
  return new Statements(db);
}

test('a run is found by its event_id, and only by all of it', () => {
  const record = aRecord({ event_id: 'Ü%_' });
  const db = holding(record, aRecord());
  const found = JSON.parse(Buffer.from(run(db, 'Ü%_', freely) ?? '').toString()) as Record<string, unknown>;
  assert.equal(found.run_id, record.run_id);
  for (const eventId of ['Ü', 'ü%_', '', '%', "' OR 1=1 --"]) assert.equal(run(db, eventId, freely), null);
});

test("a run's source is the addresses of its repository and commit, and null where there is no run", () => {
  const db = holding(
    aRecord({ event_id: 'full', git_repo: 'git@github.com:o/r', git_commit_hash: 'abc1234' }),
    aRecord({ event_id: 'bare' }),
  );
  assert.deepEqual(source(db, 'full', freely), {
    repo_url: 'https://github.com/o/r',
    commit_url: 'https://github.com/o/r/commit/abc1234',
  });
  assert.deepEqual(source(db, 'bare', freely), { repo_url: null, commit_url: null });
  assert.equal(source(db, 'nobody', freely), null);
});

test('names are listed once each, sorted', () => {
  const db = holding(
    aRecord({ agent_name: 'b', job_type: 'z' }),
    aRecord({ agent_name: 'a', job_type: 'z', status: 'success' }),
    aRecord({ agent_name: 'b', job_type: 'y', status: 'success' }),
  );
  const all = { agent_names: ['a', 'b'], job_types: ['y', 'z'], counts: { agent_names: 2, job_types: 2 }, next: null };
  assert.deepEqual(metadata(db, {}, freely), all);
  const none = { agent_names: [], job_types: [], counts: { agent_names: 0, job_types: 0 }, next: null };
  assert.deepEqual(metadata(holding(), {}, freely), none);
});

test('names come a page at a time, each once, and the counts are those of all', () => {
  const names = Array.from({ length: 25 }, (_, index) => `agent-${String(index).padStart(2, '0')}`);
  const db = holding(
    ...names.map((agent_name, index) => aRecord({ agent_name, job_type: index % 2 ? 'odd' : 'even' })),
  );
  const [agents, jobs]: [string[], string[]] = [[], []];
  let pages = 0;
  for (let next: object | null = {}; next; pages++) {
    const page = metadata(db, { limit: 10, ...next }, freely);
    assert.deepEqual(page.counts, { agent_names: 25, job_types: 2 });
    agents.push(...page.agent_names);
    jobs.push(...page.job_types);
    next = page.next;
  }
  assert.deepEqual([agents, jobs, pages], [names, ['even', 'odd'], 3]);
});

test('names that other programs left in the counts, and what they counted, are answered all the same', () => {
  const db = holding(aRecord({ agent_name: 'sound', job_type: 'job' }));
  const odd: [unknown, unknown, unknown][] = [
    ['x'.repeat(100_000), 'job', 7],
    [Buffer.from('bytes'), Buffer.from('bytes'), 3],
    ['much', 'job', 1e308],
    ['text', 'job', 'many'],
    ['huge', 'job', 9223372036854775807n],
  ];
  for (const [agent, job, runs] of odd) {
    db.raw('INSERT INTO rollup_runs (agent_name, job_type, status, runs) VALUES (?, ?, ?, ?)').run(
      agent,
      job,
      's',
      runs,
    );
  }
  const { agent_names, job_types, counts } = metadata(db, {}, freely);
  assert.deepEqual([agent_names, job_types], [['huge', 'much', 'sound', 'text'], ['job']]);
  assert.deepEqual(counts, { agent_names: 4, job_types: 1 });
  const totals = metrics(db, '2026-01-10T12:00:00.000000+00:00', freely);
  assert.deepEqual([totals.total_runs, totals.agents[0], totals.others], [11, ['sound', 1], { agents: 0, runs: 10 }]);
  assert.ok(JSON.stringify(series(db, 10, freely)).length < 10_000);
});

const at = (created_at: string, agent_name = 'a'): Record<string, unknown> => aRecord({ created_at, agent_name });

test('agents come with their runs, most first and then by name', () => {
  const time = '2026-01-10T12:00:00Z';
  const db = holding(at(time, 'c'), at(time, 'b'), at(time, 'a'), at(time, 'c'), at(time, 'b'), at(time, 'd'));
  const { total_runs, agents } = metrics(db, '2026-01-10T00:00:00.000000+00:00', freely);
  assert.equal(total_runs, 6);
  assert.deepEqual(agents, [
    ['b', 2],
    ['c', 2],
    ['a', 1],
    ['d', 1],
  ]);
});

test('recent runs are counted to the microsecond, those of the first hour too', () => {
  const times = [
    '2026-01-10T11:59:59.999999Z',
    '2026-01-10T12:30:14.999999Z',
    '2026-01-10T12:30:15Z',
    '2026-01-10T12:59:59.999999Z',
    '2026-01-10T13:00:00Z',
    '2026-01-11T12:30:15Z',
    '2030-01-01',
  ];
  const db = holding(...times.map((time) => at(time)));
  const recent = (since: string): number => metrics(db, since, freely).recent;
  assert.equal(recent('2026-01-10T12:30:15.000000+00:00'), 5);
  assert.equal(recent('2026-01-10T12:30:15.000001+00:00'), 4);
  assert.equal(recent('2026-01-10T12:00:00.000000+00:00'), 6);
  assert.equal(recent('2026-01-10T13:00:00.000000+00:00'), 3);
  assert.equal(recent('2000-01-01T00:00:00.000000+00:00'), 7);
  assert.deepEqual(metrics(holding(), '2026-01-10T12:00:00.000000+00:00', freely), {
    total_runs: 0,
    agents: [],
    others: { agents: 0, runs: 0 },
    recent: 0,
  });
});

test('each query is one visit, so that what it says is of one moment', () => {
  const db = holding(aRecord({ event_id: 'e' }));
  let visits = 0;
  const counting: Inside = (read) => (visits++, read());
  const queries = [() => run(db, 'e', counting), () => source(db, 'e', counting), () => metadata(db, {}, counting)];
  for (const query of queries) {
    visits = 0;
    query();
    assert.equal(visits, 1);
  }
  visits = 0;
  metrics(db, '2026-01-10T12:00:00.000000+00:00', counting);
  assert.equal(visits, 2, 'the hour that is not whole is counted before, for it may be long');
});
