import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListFilter, Position } from '../../../src/actors/protocol.ts';
import { plansOf, type Plan } from '../../../src/actors/readers/plan.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { advance, startOf } from '../../../src/actors/readers/walk.ts';
import { memoryDatabase } from '../../support/database.ts';
import { expected, freely, listed, storedRuns, type StoredRun } from '../../support/lists.ts';

/**
 * 56,000 runs: 9,000 of one instant in the midst, more than two stretches; the others a few to an
 * instant; every 90th of product "rare". Ids and times run against each other.
 */
const RUNS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 56000)
  INSERT INTO agent_runs (event_id, run_id, created_at, updated_at, start_time, agent_name, job_type, status, product)
  SELECT 'e' || i, 'r' || i, strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 1768046400 + iif(i % 6 = 0 AND i <= 54000, 2000, (i * 7) % 4001), 'unixepoch'),
    't', '2026-01-10T12:00:00.000000+00:00', iif(i % 3 = 0, 'a', 'b'), 'j', iif(i % 4 = 0, 'success', 'running'), iif(i % 90 = 0, 'rare', NULL)
  FROM n`;

const db = memoryDatabase();
for (const index of ['start', 'job_type', 'run_id', 'insight', 'parent', 'commit', 'website'])
  db.exec(`DROP INDEX idx_runs_${index}`);
db.exec(RUNS);
defineFunctions(db);
const statements = new Statements(db);
const rows: StoredRun[] = storedRuns(db);
const places = new Map<string, StoredRun[]>();

function all(filter: ListFilter): StoredRun[] {
  const key = JSON.stringify(filter);
  const known = places.get(key) ?? expected(rows, filter);
  places.set(key, known);
  return known;
}

interface Walked {
  ids: number[];
  stretches: number;
  pauses: number;
}

/** Walks to the page, pausing at every chance; what is carried over crosses threads as a copy. */
function walked(plan: Plan, offset: number, wanted: number, after?: Position): Walked {
  let walk = startOf(plan, offset, after);
  const counts = { stretches: 0, pauses: 0 };
  const inside = <T>(read: () => T): T => {
    counts.stretches++;
    return read();
  };
  while (!advance(statements, plan, walk, wanted, inside, () => true)) {
    counts.pauses++;
    walk = structuredClone(walk);
  }
  return { ids: walk.found.map(({ id }) => Number(id)), ...counts };
}

const INSTANT = all({})[20_000]?.created_at as string;
const FILTERS: readonly ListFilter[] = [
  {},
  { agent_name: 'a' },
  { product: 'rare' },
  { product: 'rare', agent_name: 'a' },
  { product: 'nothing' },
  { statuses: ['success'], product: 'rare' },
  { created_before: INSTANT },
  { created_after: INSTANT, product: 'rare' },
  { created_before: all({})[100]?.created_at as string, created_after: all({})[55_900]?.created_at as string },
];

for (const filter of FILTERS) {
  test(`a walk that pauses at every stretch comes to the same rows: ${JSON.stringify(filter)}`, () => {
    const [plan, ...others] = plansOf(filter, true);
    assert.ok(plan && others.length === 0);
    const ids = all(filter).map(({ id }) => id);
    for (const offset of [0, 1, 599, 600, 4_000, 28_999, 50_001, 55_999, 1_000_000]) {
      for (const wanted of [1, 1001]) {
        const { ids: found } = walked(plan, offset, wanted);
        assert.deepEqual(found, ids.slice(offset, offset + wanted), `offset ${offset}, ${wanted} wanted`);
      }
    }
  });
}

test('a walk starts behind any place: in the midst of an instant, at its end, in no row at all', () => {
  for (const filter of [{}, { agent_name: 'a' }, { product: 'rare' }]) {
    const [plan] = plansOf(filter, true) as [Plan];
    const known = all(filter);
    const instant = known.filter(({ created_at }) => created_at === INSTANT);
    const some = [
      known[0],
      known[5],
      known[4_500],
      instant[0],
      instant[Math.floor(instant.length / 2)],
      instant.at(-1),
      known.at(-1),
    ];
    const strange = [
      { created_at: INSTANT, id: 0 },
      { created_at: INSTANT, id: 10 ** 9 },
      { created_at: '9999', id: 1 },
      { created_at: '0001', id: 1 },
    ];
    for (const after of [...some.filter((place) => place !== undefined), ...strange]) {
      for (const offset of [0, 70]) {
        const wanted = expected(known, {}, after).slice(offset, offset + 50);
        assert.deepEqual(
          walked(plan, offset, 50, after).ids,
          wanted.map(({ id }) => id),
          JSON.stringify([filter, after.created_at, after.id, offset]),
        );
      }
    }
  }
});

test('the gate is let go between stretches, which are bounded, and a pause comes after each', () => {
  const [tested] = plansOf({ product: 'nothing' }, true) as [Plan];
  const { stretches, pauses } = walked(tested, 0, 10);
  assert.ok(stretches >= 56_000 / 4_000, `${stretches} stretches of at most 4,000 rows`);
  assert.equal(pauses, stretches - 1);
  const [indexed] = plansOf({}, true) as [Plan];
  const deep = walked(indexed, 55_000, 10);
  assert.ok(deep.stretches >= 2, 'a deep offset is hopped to');
  assert.equal(walked(indexed, 0, 10).stretches, 1, 'the first page takes one visit');
});

test('a walk that may not pause does not', () => {
  const [plan] = plansOf({ product: 'nothing' }, true) as [Plan];
  const walk = startOf(plan, 0, undefined);
  assert.equal(
    advance(statements, plan, walk, 10, freely, () => false),
    true,
  );
  assert.deepEqual(walk.found, []);
});

test('a list of several plans resumes each where it stood', () => {
  for (const filter of [
    { product: 'rare', statuses: ['success', 'running'] },
    { agent_name: 'b', product: 'rare', statuses: ['running', 'success'] },
  ]) {
    assert.equal(plansOf(filter, true).length, 2);
    for (const offset of [0, 100, 600]) {
      const { ids, pauses } = listed(statements, { filter, limit: 40, offset, sliceMs: -1 });
      assert.deepEqual(
        ids,
        all(filter)
          .slice(offset, offset + 40)
          .map(({ id }) => id),
      );
      assert.ok(pauses > 1, `${pauses} pauses`);
    }
  }
});

test('too deep a page of several statuses is walked as one, with the same rows', () => {
  const filter = { statuses: ['success', 'running'] };
  for (const offset of [4_990, 4_991, 20_000]) {
    const { ids } = listed(statements, { filter, limit: 10, offset });
    assert.deepEqual(
      ids,
      all(filter)
        .slice(offset, offset + 10)
        .map(({ id }) => id),
    );
  }
});
