import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metrics } from '../../../src/actors/readers/queries.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { memoryDatabase } from '../../support/database.ts';

/** What one visit to the gate counts. */
const STRETCH = 50_000;

const db = memoryDatabase();
const named = "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'idx_%' AND name <> ?";
for (const index of db.prepare(named).pluck().all('idx_runs_created_desc')) db.exec(`DROP INDEX ${String(index)}`);

/** One hour's runs as [how many, at which minute and second; null: at 1,000 seconds in turn]. */
function holding(...parts: [count: number, time: string | null][]): Statements {
  db.exec('DELETE FROM agent_runs');
  for (const [part, [count, time]] of parts.entries()) {
    const at = time === null ? "strftime('%M:%S', i % 1000, 'unixepoch')" : `'${time}'`;
    db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO agent_runs (event_id, run_id, created_at, updated_at, start_time, agent_name, job_type)
      SELECT '${part}/' || i, 'r', '2026-01-10T12:' || ${at} || '.000000+00:00', 't', 't', 'a', 'j' FROM n`);
  }
  return new Statements(db);
}

/** The recent runs by the metrics and by a plain count, and the visits they took. */
function counted(statements: Statements, since: string): { recent: number; truth: number; visits: number } {
  let visits = 0;
  const { recent } = metrics(statements, since, (read) => (visits++, read()));
  const truth = db.prepare('SELECT count(*) FROM agent_runs WHERE created_at >= ?').pluck().get(since) as number;
  return { recent, truth, visits };
}

const SINCE = [
  '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10T12:08:20.000000+00:00',
  '2026-01-10T12:59:00.000000+00:00',
];

test('an hour of more runs than one stretch is counted right, a stretch at a visit', () => {
  const statements = holding([120_000, null], [10, '59:59']);
  for (const since of SINCE) {
    const { recent, truth, visits } = counted(statements, since);
    assert.equal(recent, truth, since);
    assert.ok(visits >= 1 + Math.ceil(truth / STRETCH), `${visits} visits for ${truth} runs`);
  }
});

for (const count of [STRETCH - 1, STRETCH, STRETCH + 1]) {
  test(`an hour of ${count} runs of one instant, with others around it, is counted right`, () => {
    const statements = holding([3, '08:19'], [count, '08:20'], [2, '08:21'], [1, '59:59']);
    for (const since of SINCE) {
      const { recent, truth } = counted(statements, since);
      assert.equal(recent, truth, since);
    }
  });
}

test('instants of more runs than one stretch, one behind the other, are counted right', () => {
  const statements = holding([STRETCH + 7, '08:20'], [STRETCH + 3, '08:21'], [5, null]);
  for (const since of SINCE) {
    const { recent, truth } = counted(statements, since);
    assert.equal(recent, truth, since);
  }
});
