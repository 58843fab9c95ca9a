/** That every list is read along an index, and nothing is ever sorted: SQLite's own word for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Statement } from 'better-sqlite3';
import type { ListFilter } from '../../../src/actors/protocol.ts';
import { FEW } from '../../../src/actors/readers/plan.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { aRecord, insertRuns, memoryDatabase, NOW } from '../../support/database.ts';
import { expected, listed, storedRuns } from '../../support/lists.ts';

const db = memoryDatabase();
defineFunctions(db);
insertRuns(
  db,
  Array.from({ length: FEW + 10 }, (_, index) =>
    aRecord({ created_at: `2026-01-10T12:00:0${index % 2}Z`, git_commit_hash: 'tester' }),
  ),
);

/** Remembers what is asked. */
class Recording extends Statements {
  readonly asked = new Set<string>();
  override rendering(...[select, from]: Parameters<Statements['rendering']>): Statement {
    this.asked.add(`SELECT json_object('id', id) ${from}`);
    return super.rendering(select, from);
  }
  override raw(sql: string): Statement {
    this.asked.add(sql);
    return super.raw(sql);
  }
}

/** What SQLite says it will do, a line a step. */
function explain(sql: string): string {
  const nulls = new Array<null>(sql.split('?').length - 1).fill(null);
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...nulls) as { detail: string }[];
  return steps.map(({ detail }) => detail).join('\n');
}

/** The statements that find the rows of a list, its first pages and its deep ones. */
function findersOf(filter: ListFilter): string[] {
  const recording = new Recording(db);
  const after = { created_at: NOW, id: 5 };
  for (const place of [undefined, after])
    for (const offset of [0, 3, 60_000]) listed(recording, { filter, limit: 5, offset, after: place });
  return [...recording.asked].filter((sql) => !sql.includes('json_object'));
}

const text = (name: keyof ListFilter): ListFilter => ({ [name]: 'tester' });
const FILTERS: readonly [filter: ListFilter, index: string][] = [
  [{}, 'idx_runs_created_desc'],
  [{ created_before: '2027' }, 'idx_runs_created_desc'],
  [{ created_after: '2026' }, 'idx_runs_created_desc'],
  [{ created_after: '2026', created_before: '2027' }, 'idx_runs_created_desc'],
  [text('agent_name'), 'idx_runs_agent_created'],
  [{ agent_name: 'tester', created_after: '2026' }, 'idx_runs_agent_created'],
  [{ statuses: ['running'] }, 'idx_runs_status'],
  [{ statuses: ['running'], created_after: '2026', created_before: '2027' }, 'idx_runs_status'],
  [{ statuses: ['running', 'success'] }, 'idx_runs_status'],
  [{ agent_name: 'tester', statuses: ['running'] }, 'idx_runs_agent_status_created'],
  [{ agent_name: 'tester', statuses: ['running', 'success'], created_before: '2027' }, 'idx_runs_agent_status_created'],
  [text('job_type'), 'idx_runs_job_type'],
  [text('run_id'), 'idx_runs_run_id'],
  [text('git_commit_hash'), 'idx_runs_created_desc'],
  [text('parent_run_id'), 'idx_runs_parent'],
  [text('insight_id'), 'idx_runs_insight'],
  [text('website'), 'idx_runs_website'],
  [text('product'), 'idx_runs_created_desc'],
  [text('environment'), 'idx_runs_created_desc'],
  [text('run_id_contains'), 'idx_runs_created_desc'],
  [text('exclude_job_type'), 'idx_runs_created_desc'],
  [{ start_time_from: '2026' }, 'idx_runs_created_desc'],
  [{ start_time_to: '2027', agent_name: 'tester' }, 'idx_runs_agent_created'],
];

for (const [filter, index] of FILTERS) {
  test(`${JSON.stringify(filter)} searches ${index} and sorts nothing`, () => {
    const finders = findersOf(filter).filter((sql) => !/idx_runs_(start|commit)/.test(sql));
    assert.ok(finders.length >= 2);
    // Deep pages of several statuses are walked along the list's own order.
    const allowed = new Set([
      index,
      ...(filter.statuses && filter.statuses.length > 1 ? ['idx_runs_created_desc', 'idx_runs_agent_created'] : []),
    ]);
    for (const sql of finders) {
      const plan = explain(sql);
      const used = /SEARCH agent_runs USING (?:COVERING )?INDEX (\w+) \(/.exec(plan)?.[1];
      assert.ok(used !== undefined && allowed.has(used), `${sql}\n${plan}`);
      assert.ok(!/TEMP B-TREE|AUTOMATIC/.test(plan), `${sql}\n${plan}`);
    }
    assert.ok(finders.some((sql) => sql.includes(index)));
  });
}

for (const [filter, index, search] of [
  [{ start_time_from: '2027' }, 'idx_runs_start', '(start_time>? AND start_time<?)'],
  [{ git_commit_hash: 'none' }, 'idx_runs_commit', '(git_commit_hash=?)'],
] as const) {
  test(`where ${JSON.stringify(filter)} has few runs, ${index} finds them`, () => {
    const finders = findersOf(filter).filter((sql) => sql.includes(index));
    assert.equal(finders.length, 1);
    for (const sql of finders) {
      const plan = explain(sql);
      assert.match(plan, new RegExp(`SEARCH agent_runs USING (COVERING )?INDEX ${index} `));
      assert.ok(plan.includes(search) && !plan.includes('TEMP B-TREE'), plan);
    }
  });
}

test('a commit of more runs than few is walked, and lists the same', () => {
  const filter = { git_commit_hash: 'tester' };
  const [, second] = expected(storedRuns(db), filter).map(({ created_at, id }) => ({ created_at, id }));
  for (const after of [undefined, second]) {
    const ids = expected(storedRuns(db), filter, after).map(({ id }) => id);
    assert.ok(ids.length > FEW);
    const page = listed(new Statements(db), { filter, limit: 5, offset: 3, after });
    assert.deepEqual(page.ids, ids.slice(3, 8));
  }
});

test('the rows of a page are looked up by their ids', () => {
  const recording = new Recording(db);
  listed(recording, { filter: {}, limit: 5, offset: 0 });
  const [render, ...others] = [...recording.asked].filter((sql) => sql.includes('json_object'));
  assert.ok(render && others.length === 0);
  assert.match(explain(render), /SEARCH agent_runs USING INTEGER PRIMARY KEY \(rowid=\?\)/);
  assert.ok(!explain(render).includes('TEMP B-TREE'));
});

const SELECT = 'SELECT * FROM agent_runs';
const NEWEST = 'ORDER BY created_at DESC LIMIT 100';
const GUIDE: readonly [sql: string, index: string][] = [
  [`${SELECT} ${NEWEST}`, 'idx_runs_created_desc'],
  [`${SELECT} WHERE created_at > ? ${NEWEST}`, 'idx_runs_created_desc'],
  [`${SELECT} WHERE agent_name = ? AND status = ? ${NEWEST}`, 'idx_runs_agent_status_created'],
  [`${SELECT} WHERE agent_name = ? AND status = ? AND created_at > ? ${NEWEST}`, 'idx_runs_agent_status_created'],
  [`${SELECT} WHERE agent_name = ? ${NEWEST}`, 'idx_runs_agent_created'],
  [`${SELECT} WHERE agent_name = ? AND created_at < ? ${NEWEST}`, 'idx_runs_agent_created'],
  [`${SELECT} WHERE status = ? ${NEWEST}`, 'idx_runs_status'],
  [`${SELECT} WHERE start_time >= ? AND start_time <= ? ORDER BY start_time`, 'idx_runs_start'],
  [`${SELECT} WHERE start_time >= ? ORDER BY start_time DESC LIMIT 100`, 'idx_runs_start'],
  [`${SELECT} WHERE job_type = ? ${NEWEST}`, 'idx_runs_job_type'],
  [`${SELECT} WHERE event_id = ?`, 'sqlite_autoindex_agent_runs_1'],
];

for (const [sql, index] of GUIDE) {
  test(`left to itself, SQLite answers "${sql}" by ${index} without a temporary B-tree`, () => {
    const plan = explain(sql);
    assert.match(plan, new RegExp(`agent_runs USING INDEX ${index}\\b`));
    assert.ok(!plan.includes('TEMP B-TREE'), plan);
  });
}
