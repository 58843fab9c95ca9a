import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ListFilter, Position } from '../../../src/actors/protocol.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { list } from '../../../src/actors/readers/list.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { aRecord, insertRuns, memoryDatabase } from '../../support/database.ts';
import { anyFilter, anyPlace, expected, listed, someRecords, storedRuns } from '../../support/lists.ts';

const db = memoryDatabase();
defineFunctions(db);
const statements = new Statements(db);

function fill(records: Record<string, unknown>[]): void {
  db.exec('DELETE FROM agent_runs');
  insertRuns(db, records);
}

const limit = fc.integer({ min: 1, max: 45 });
const offset = fc.oneof(fc.constant(0), fc.nat(45));
const sliceMs = fc.constantFrom(-1, 50);

test('any filter, limit, offset and place give the rows that filtering and sorting by hand gives', () => {
  let found = 0;
  fc.assert(
    fc.property(
      someRecords,
      fc.array(fc.tuple(anyFilter, limit, offset, anyPlace, sliceMs), { minLength: 10, maxLength: 10 }),
      (records, tasks) => {
        fill(records);
        const rows = storedRuns(db);
        for (const [filter, limit, offset, after, sliceMs] of tasks) {
          const all = expected(rows, filter, after);
          const wanted = all.slice(offset, offset + limit);
          const { page, ids } = listed(statements, { filter, limit, offset, after, sliceMs });
          assert.deepEqual(
            ids,
            wanted.map(({ id }) => id),
            JSON.stringify(filter),
          );
          assert.equal(page.count, wanted.length);
          const last = all.length > offset + limit ? wanted.at(-1) : undefined;
          assert.deepEqual(page.next, last ? { created_at: last.created_at, id: last.id } : null);
          found += wanted.length;
        }
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(found > 100, `the filters find something: ${found}`);
});

test('from cursor to cursor every row is met once, whatever the filter', () => {
  fc.assert(
    fc.property(
      someRecords,
      fc.array(fc.tuple(anyFilter, fc.integer({ min: 1, max: 7 })), { minLength: 5, maxLength: 5 }),
      (records, tasks) => {
        fill(records);
        const rows = storedRuns(db);
        for (const [filter, limit] of tasks)
          assert.deepEqual(
            byCursor(filter, limit),
            expected(rows, filter).map(({ id }) => id),
          );
      },
    ),
    { numRuns: 40 },
  );
});

function byCursor(filter: ListFilter, limit: number): number[] {
  const ids: number[] = [];
  let after: Position | undefined;
  do {
    const { page, ids: met } = listed(statements, { filter, limit, offset: 0, after });
    ids.push(...met);
    assert.ok(page.next === null || met.length === limit);
    after = page.next ?? undefined;
  } while (after);
  return ids;
}

test('a place on, above and below the bounds of created_at gives exactly what follows it within them', () => {
  const times = [0, 1, 2, 3].map((second) => `2026-01-10T12:00:0${second}.000000+00:00`);
  fill([...times, ...times].map((created_at) => aRecord({ created_at, product: 'x' })));
  const rows = storedRuns(db);
  const bounds = [undefined, ...times];
  for (const product of [undefined, 'x']) {
    for (const [before, after] of bounds.flatMap((one) => bounds.map((other) => [one, other]))) {
      const filter = {
        ...(product && { product }),
        ...(before && { created_before: before }),
        ...(after && { created_after: after }),
      };
      for (const place of times.flatMap((created_at) => [0, 2, 5, 9].map((id) => ({ created_at, id })))) {
        const wanted = expected(rows, filter, place).map(({ id }) => id);
        const { ids } = listed(statements, { filter, limit: 10, offset: 0, after: place });
        assert.deepEqual(ids, wanted, JSON.stringify([filter, place]));
      }
    }
  }
});

test('a run that comes between two pages moves no other', () => {
  fill(Array.from({ length: 6 }, () => aRecord({ created_at: '2026-01-10T12:00:00Z' })));
  const first = listed(statements, { filter: {}, limit: 3, offset: 0 });
  insertRuns(db, [aRecord({ created_at: '2026-01-10T12:30:00Z' }), aRecord({ created_at: '2026-01-10T11:59:59Z' })]);
  const second = listed(statements, { filter: {}, limit: 9, offset: 0, after: first.page.next as Position });
  assert.deepEqual(
    [first.ids, second.ids],
    [
      [1, 2, 3],
      [4, 5, 6, 8],
    ],
  );
});

test('an empty list is an empty array', () => {
  fill([]);
  const { page } = listed(statements, { filter: {}, limit: 10, offset: 0 });
  assert.deepEqual([Buffer.from(page.body).toString(), page.count, page.next], ['[]', 0, null]);
});

test('a large page is rendered a hundred rows at a time, with the gate let go in between, and is one array', () => {
  fill(Array.from({ length: 250 }, (_, index) => aRecord({ product: `"${index},]` })));
  let visits = 0;
  const answer = list(statements, { filter: {}, limit: 250, offset: 0 }, (read) => (visits++, read()));
  assert.ok('body' in answer);
  const products = (JSON.parse(Buffer.from(answer.body).toString()) as { product: string }[]).map(
    ({ product }) => product,
  );
  assert.deepEqual(
    products,
    Array.from({ length: 250 }, (_, index) => `"${index},]`),
  );
  assert.ok(visits >= 4, `${visits} visits`);
});

test('an offset beyond every row, however large, finds nothing', () => {
  fill([aRecord(), aRecord({ status: 'success' })]);
  for (const filter of [
    {},
    { statuses: ['success'] },
    { statuses: ['success', 'running'] },
    { product: 'x' },
    { start_time_from: '2026' },
  ]) {
    for (const offset of [2, 50_001, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      const { ids, page } = listed(statements, { filter, limit: 1000, offset });
      assert.deepEqual([ids, page.next], [[], null], `${JSON.stringify(filter)} ${offset}`);
    }
  }
});
