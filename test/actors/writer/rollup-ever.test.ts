import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../../src/actors/database.ts';
import { Ever } from '../../../src/actors/writer/ever.ts';
import { migrate, readMigrations } from '../../../src/actors/writer/migrate.ts';
import { runsKey } from '../../../src/actors/writer/rollups.ts';
import {
  aRecord,
  batch,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  memoryDatabase,
  rollupsOf,
  type Sent,
  update,
} from '../../support/database.ts';
import { recordOf } from '../../support/records.ts';

type Counts = Map<string, number>;

const countsOf = (rows: readonly unknown[]): Counts =>
  new Map(
    (rows as [string, string, string, number][]).map(([agent, job, status, runs]) => [
      [agent, job, status].join(),
      runs,
    ]),
  );
const everOf = (db: Connection): Counts =>
  countsOf(db.prepare('SELECT agent_name, job_type, status, runs FROM rollup_ever ORDER BY id').raw().all());

const eventId = fc.constantFrom('e1', 'e2', 'e3');
const sent: fc.Arbitrary<Sent> = fc.oneof(
  eventId.chain(recordOf).map(create),
  fc.array(eventId.chain(recordOf), { maxLength: 4 }).map((records) => batch(records, true)),
  fc
    .tuple(eventId, fc.constantFrom('running', 'success', 'failed', 'cancelled'))
    .map(([id, status]) => update(id, { status })),
  fc
    .constantFrom('2020-01-01T00:00:00.000000+00:00', '2999-01-01T00:00:00.000000+00:00')
    .map((before): Sent => ({ name: 'delete', args: { before, limit: 2 }, body: '' })),
);

test('whatever happens, what has ever been never falls, and is never below what is there', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  let before: Counts = new Map();
  fc.assert(
    fc.property(fc.array(fc.array(sent, { maxLength: 4 }), { maxLength: 5 }), (groups) => {
      for (const group of groups) {
        writer.execute(groupOf(...group));
        const now = everOf(db);
        for (const [key, runs] of before) assert.ok((now.get(key) ?? 0) >= runs, `${key} fell`);
        assert.deepEqual([...now.keys()].slice(0, before.size), [...before.keys()], 'who came first stays first');
        for (const [key, runs] of countsOf(rollupsOf(db).runs)) assert.ok((now.get(key) ?? 0) >= runs, key);
        before = now;
      }
    }),
    { numRuns: 40 },
  );
});

test('a run counts once for each status it comes into, also within one group', () => {
  const db = memoryDatabase();
  const run = aRecord({ agent_name: 'a', job_type: 'j' });
  const writer = groupWriter(db);
  writer.execute(
    groupOf(create(run), update(run.event_id, { status: 'success' }), update(run.event_id, { items_failed: 1 })),
  );
  writer.execute(groupOf(create(run), update(run.event_id, { status: 'success' })));
  assert.deepEqual(
    [...everOf(db)],
    [
      ['a,j,running', 1],
      ['a,j,success', 1],
    ],
  );
});

test('a command that fails has not counted', () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  writer.execute(
    groupOf(create(aRecord({ agent_name: 'a', job_type: 'j' })), create('{'), update('nobody', { status: 'success' })),
  );
  assert.deepEqual([...everOf(db)], [['a,j,running', 1]]);
});

test('a recount raises what has ever been to what it finds, and takes nothing away', () => {
  const db = memoryDatabase();
  groupWriter(db).execute(groupOf(create(aRecord({ agent_name: 'a', job_type: 'j' }))));
  db.exec("UPDATE rollup_ever SET runs = 9; UPDATE agent_runs SET agent_name = 'foreign'");
  const writer = groupWriter(db, { rollupsTrusted: false });
  while (writer.recounting) writer.recount(1);
  assert.deepEqual(
    [...everOf(db)],
    [
      ['a,j,running', 9],
      ['foreign,j,running', 1],
    ],
  );
});

test('a database from before begins with what it has', () => {
  const db = memoryDatabase();
  groupWriter(db).execute(groupOf(create(aRecord({ agent_name: 'a', job_type: 'j' }))));
  db.exec('DROP TABLE rollup_ever');
  migrate(db, 8, readMigrations().slice(0, 1));
  assert.deepEqual([...everOf(db)], [['a,j,running', 1]]);
});

test('beyond the bound combinations are summed by status, and a recount raises those sums', () => {
  const db = memoryDatabase();
  const ever = new Ever(db, 2);
  const keyed = (counts: Record<string, number>): Map<string, number> =>
    new Map(
      Object.entries(counts).map(([name, runs]) => [runsKey(name, 'j', name === 'f' ? 'failure' : 'success'), runs]),
    );
  ever.add(keyed({ a: 1, b: 1, c: 2, d: 3, f: 1 }));
  ever.add(keyed({ a: 1, c: 1 }));
  assert.deepEqual(
    [...everOf(db)],
    [
      ['a,j,success', 2],
      ['b,j,success', 1],
      ['(other),(other),success', 6],
      ['(other),(other),failure', 1],
    ],
  );
  ever.raise(keyed({ a: 1, c: 5, d: 3, f: 1 }));
  assert.deepEqual([...everOf(db).values()], [2, 1, 8, 1]);
});
