import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListFilter } from '../../../src/actors/protocol.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { memoryDatabase } from '../../support/database.ts';
import { expected, listed, storedRuns } from '../../support/lists.ts';

const FIRST = 1768046400;
const at = (seconds: number): string => `${new Date((FIRST + seconds) * 1000).toISOString().slice(0, 19)}.000000+00:00`;

/** 15,000 runs, two to each second: several stretches of rows to be tested, whatever the bound. */
const RUNS = `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 14999)
  INSERT INTO agent_runs (event_id, run_id, created_at, updated_at, start_time, agent_name, job_type, status, product)
  SELECT 'e' || i, 'r' || i, strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', ${FIRST} + i / 2, 'unixepoch'), 't',
    '2026-01-10T12:00:00.000000+00:00', 'a', 'j', 'running', iif(i % 700 = 0, 'rare', NULL)
  FROM n`;

/** Statements that say what they were asked. */
class Recording extends Statements {
  readonly asked: string[] = [];
  override raw(sql: string): ReturnType<Statements['raw']> {
    this.asked.push(sql);
    return super.raw(sql);
  }
}

const db = memoryDatabase();
db.exec(RUNS);
defineFunctions(db);
const rows = storedRuns(db);

const FILTERS: readonly ListFilter[] = [
  { created_after: at(100), product: 'rare' },
  { created_after: at(100), product: 'nothing' },
  { created_after: at(7_000), created_before: at(7_400), product: 'rare' },
  { created_after: at(100), created_before: at(7_400), product: 'rare', agent_name: 'a' },
  { created_after: at(100), product: 'rare', statuses: ['running'] },
  { created_after: at(100), product: 'rare', statuses: ['running', 'success'] },
];

for (const filter of FILTERS) {
  test(`no stretch of a list has two lower bounds, of which SQLite seeks by one: ${JSON.stringify(filter)}`, () => {
    const statements = new Recording(db);
    const wanted = expected(rows, filter).map(({ id }) => id);
    for (const offset of [0, 3]) {
      const { ids } = listed(statements, { filter, limit: 100, offset, sliceMs: 0 });
      assert.deepEqual(ids, wanted.slice(offset, offset + 100));
    }
    const bounds = statements.asked.map((sql) => sql.split('created_at >').length - 1);
    assert.equal(
      Math.max(...bounds),
      1,
      statements.asked.find((_, n) => (bounds[n] ?? 0) > 1),
    );
  });
}
