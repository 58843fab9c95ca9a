import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../../src/actors/database.ts';
import type { ListPage, ListTask } from '../../../src/actors/protocol.ts';
import { list } from '../../../src/actors/readers/list.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { memoryDatabase } from '../../support/database.ts';

const MIB = 1024 * 1024;

/** Runs 1 … `count`, the last of them first in the list, with a text of so many bytes each. */
function holding(count: number, bytes: number): Statements {
  const db: Connection = memoryDatabase();
  db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO agent_runs (event_id, run_id, created_at, updated_at, start_time, agent_name, job_type, output_summary)
    SELECT 'e' || i, 'r' || i, printf('2026-01-10T12:%02d:00.000000+00:00', i), 't', 't', 'a', 'j',
      printf('%.*c', ${bytes}, 'x') FROM n`);
  defineFunctions(db);
  return new Statements(db);
}

/** The page, and how many visits to the gate it took. */
function visited(db: Statements, fields: Partial<ListTask>): { page: ListPage; visits: number } {
  let visits = 0;
  const page = list(db, { filter: {}, limit: 100, offset: 0, sliceMs: 600_000, ...fields }, (read) => {
    visits++;
    return read();
  });
  assert.ok('body' in page);
  return { page, visits };
}

const idsOf = ({ body }: ListPage): number[] =>
  (JSON.parse(Buffer.from(body).toString()) as { id: number }[]).map(({ id }) => id);
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first - n);

test('a page of large runs is rendered a few megabytes at a visit', () => {
  const { page, visits } = visited(holding(50, 200_000), {});
  assert.deepEqual(idsOf(page), from(50, 50));
  assert.equal(page.next, null);
  // Ten runs first, then 2 MiB at a time; and one visit for the walk.
  assert.ok(visits >= 1 + 5 && visits <= 1 + 7, `${visits} visits`);
});

test('a page of small runs takes few visits', () => {
  const { page, visits } = visited(holding(59, 10), {});
  assert.deepEqual(idsOf(page), from(59, 59));
  assert.ok(visits <= 3, `${visits} visits`);
});

test('a run larger than a visit may render is rendered all the same, one at a visit', () => {
  const { page, visits } = visited(holding(14, 3 * MIB), {});
  assert.deepEqual(idsOf(page), from(14, 14));
  assert.equal(visits, 1 + 1 + 4);
});

test('a page of many large runs ends early, with a place from which the next one goes on', () => {
  const db = holding(40, 2 * MIB);
  const { page } = visited(db, {});
  const ids = idsOf(page);
  assert.ok(ids.length >= 30 && ids.length < 40, `${ids.length} runs of 2 MiB`);
  assert.equal(page.count, ids.length);
  assert.equal(page.next?.id, ids.at(-1));
  const { page: rest } = visited(db, { after: page.next ?? undefined });
  assert.deepEqual([...ids, ...idsOf(rest)], from(40, 40));
  assert.equal(rest.next, null);
});
