/** The spool's commands: lines and position in one transaction. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Connection } from '../../../src/actors/database.ts';
import type { Merged } from '../../../src/actors/protocol.ts';
import type { GroupWriter } from '../../../src/actors/writer/group.ts';
import type { Outcome } from '../../../src/errors.ts';
import {
  aRecord,
  codesOf,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  rollupsOf,
  type Sent,
  totalsOf,
} from '../../support/database.ts';
import { linesOf } from '../../support/spool.ts';

const FILE = { name: 'telemetry_1', inode: '18446744073709551615' };

const merge = (expected: number, to: number, ...records: readonly (object | string)[]): Sent => ({
  name: 'merge',
  args: { ...FILE, expected, to, digest: `of ${to}`, maxRunBytes: 1_000 },
  body: linesOf(...records),
});

function open(t: TestContext): { db: Connection; writer: GroupWriter; send: (sent: Sent) => Outcome<Merged> } {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  return { db, writer, send: (sent) => writer.execute(groupOf(sent))[0] as Outcome<Merged> };
}

const valueOf = (outcome: Outcome<Merged>): Merged => (outcome.ok ? outcome.value : assert.fail(outcome.error.message));
const countOf = (db: Connection): unknown => db.prepare('SELECT count(*) FROM agent_runs').pluck().get();
const positionsOf = (db: Connection): unknown[] =>
  db.prepare('SELECT name, inode, position, digest FROM spool_files').raw().all();

test('lines are stored with the position behind them, and the counts follow', (t) => {
  const { db, send } = open(t);
  const known = aRecord();
  const ended = { ...known, status: 'success' };
  assert.deepEqual(valueOf(send(merge(0, 700, known, aRecord(), ended, ended))), {
    applied: true,
    position: 700,
    inserted: 2,
    duplicates: 1,
    merged: 1,
  });
  assert.deepEqual(positionsOf(db), [[FILE.name, FILE.inode, 700, 'of 700']]);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('lines that come again after their answer was lost change nothing, and learn where the file stands', (t) => {
  const { db, send } = open(t);
  const first = merge(0, 700, aRecord());
  send(first);
  send(merge(700, 900, aRecord()));
  const before = countOf(db);
  assert.deepEqual(valueOf(send(first)), { applied: false, position: 900, inserted: 0, duplicates: 0, merged: 0 });
  assert.deepEqual(valueOf(send(merge(800, 950, aRecord()))).applied, false);
  assert.equal(countOf(db), before);
});

test('a file that was cut short goes on from its beginning', (t) => {
  const { db, send } = open(t);
  send(merge(0, 700, aRecord()));
  assert.deepEqual(valueOf(send(merge(700, 300, aRecord()))).position, 300);
  assert.deepEqual(positionsOf(db), [[FILE.name, FILE.inode, 300, 'of 300']]);
});

test('a batch without a line that can be stored moves the position', (t) => {
  const { db, send } = open(t);
  assert.equal(valueOf(send(merge(0, 50))).applied, true);
  assert.deepEqual([positionsOf(db), countOf(db)], [[[FILE.name, FILE.inode, 50, 'of 50']], 0]);
});

for (const [what, bad] of [
  ['is not JSON', '{"half'],
  ['fails validation', { event_id: 'half' }],
  ['is too large', aRecord({ output_summary: 'x'.repeat(1_001) })],
] as const) {
  for (const others of [[], [create(aRecord())]]) {
    const where = others.length === 0 ? 'alone' : 'among others';
    test(`a line that ${what} fails the whole merge, ${where} in its group, and leaves no trace`, (t) => {
      const { db, writer } = open(t);
      const outcomes = writer.execute(groupOf(...others, merge(0, 900, aRecord(), bad, aRecord())));
      assert.deepEqual(codesOf(outcomes), [...others.map(() => 'ok'), 'invalid']);
      assert.deepEqual([countOf(db), positionsOf(db)], [others.length, []]);
      assert.deepEqual(rollupsOf(db), totalsOf(db));
    });
  }
}

test('files that are gone are forgotten, and others are not', (t) => {
  const { db, writer } = open(t);
  writer.execute(groupOf(merge(0, 700, aRecord())));
  const other = { name: FILE.name, inode: '2' };
  const forget: Sent = { name: 'forget', args: { files: [other, FILE] }, body: '' };
  const [outcome] = writer.execute(groupOf(forget));
  assert.deepEqual(outcome, { ok: true, value: { forgotten: 1 } });
  assert.deepEqual(positionsOf(db), []);
});
