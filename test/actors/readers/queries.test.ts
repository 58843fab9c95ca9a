import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inside } from '../../../src/actors/readers/walk.ts';
import { metadata, metrics, run, source } from '../../../src/actors/readers/queries.ts';
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
  assert.deepEqual(metadata(db, freely), { agent_names: ['a', 'b'], job_types: ['y', 'z'] });
  assert.deepEqual(metadata(holding(), freely), { agent_names: [], job_types: [] });
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
    recent: 0,
  });
});

test('each query is one visit, so that what it says is of one moment', () => {
  const db = holding(aRecord({ event_id: 'e' }));
  let visits = 0;
  const counting: Inside = (read) => (visits++, read());
  const queries = [() => run(db, 'e', counting), () => source(db, 'e', counting), () => metadata(db, counting)];
  for (const query of queries) {
    visits = 0;
    query();
    assert.equal(visits, 1);
  }
  visits = 0;
  metrics(db, '2026-01-10T12:00:00.000000+00:00', counting);
  assert.equal(visits, 2, 'the hour that is not whole is counted before, for it may be long');
});
