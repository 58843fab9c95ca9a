import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../src/actors/database.ts';
import { Reconciliation } from '../../src/offline/reconcile.ts';
import { COLUMNS } from '../../src/run.ts';
import { aRecord, batch, groupOf, groupWriter, memoryDatabase, update } from '../support/database.ts';
import { recordOf } from '../support/records.ts';

const NOTED_AT = Date.parse('2026-02-01T00:00:00Z');

function reconcile(db: Connection, records: readonly unknown[], fileMtimeMs = 0): Reconciliation {
  const reconciliation = new Reconciliation(db, { maxRunBytes: 10_000, notedAt: NOTED_AT });
  for (const record of records) {
    const bytes = Buffer.from(typeof record === 'string' ? record : JSON.stringify(record));
    reconciliation.take({ offset: 0, next: 0, bytes, length: bytes.length }, { index: 0, mtimeMs: fileMtimeMs });
  }
  return reconciliation;
}

const rowOf = (db: Connection, eventId: string): unknown =>
  db
    .prepare(`SELECT ${COLUMNS.join(', ')} FROM agent_runs WHERE event_id = ?`)
    .raw()
    .get(eventId);

test('a record is behind exactly when merging it changes the run, and never afterwards', () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  let count = 0;
  const records = fc.array(recordOf('x'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(records, (given) => {
      const eventId = `event-${++count}`;
      for (const [index, record] of given.entries()) {
        const named = { ...record, event_id: eventId };
        const lack = reconcile(db, [named]).findings.get(eventId)?.lack;
        const before = rowOf(db, eventId);
        writer.execute(groupOf(batch([named], true)));
        const after = rowOf(db, eventId);
        const changed = JSON.stringify(before) !== JSON.stringify(after);
        assert.equal(lack, index === 0 ? 'missing' : changed ? 'behind' : undefined);
      }
      const all = given.map((record) => ({ ...record, event_id: eventId }));
      assert.equal(reconcile(db, all).findings.size, 0, 'what was merged is not missed');
    }),
    { numRuns: 100 },
  );
});

test('the states before a PATCH are not missed', () => {
  const db = memoryDatabase();
  const run = aRecord({ status: 'running', created_at: '2026-01-10T12:00:00Z' });
  const writer = groupWriter(db);
  writer.execute(groupOf(batch([run])));
  writer.execute(groupOf(update(run.event_id, { status: 'failure', error_summary: 'x' })));
  assert.equal(reconcile(db, [run]).findings.size, 0);
});

test('what retention deleted is counted, by the time of its creation, or of its start', () => {
  const db = memoryDatabase();
  db.exec("INSERT INTO retention VALUES (1, '2026-01-10T00:00:00.000000+00:00')");
  const { counts, findings } = reconcile(db, [
    aRecord({ created_at: '2026-01-09T23:59:59Z' }),
    aRecord({ start_time: '2026-01-09T00:00:00+01:00' }),
    aRecord({ event_id: 'later', created_at: '2026-01-10T00:00:00Z', start_time: '2026-01-09T00:00:00Z' }),
  ]);
  assert.deepEqual([counts.deleted, [...findings.keys()]], [2, ['later']]);
});

test('a record is young only when both it and its file are', () => {
  const db = memoryDatabase();
  const at = (milliseconds: number): string => new Date(NOTED_AT - milliseconds).toISOString();
  const young = (time: string, fileMtimeMs: number): boolean | undefined =>
    reconcile(db, [aRecord({ event_id: 'e', updated_at: time })], fileMtimeMs).findings.get('e')?.young;
  assert.equal(young(at(59_000), NOTED_AT), true);
  assert.equal(young(at(61_000), NOTED_AT), false);
  assert.equal(young(at(1_000), NOTED_AT - 61_000), false);
});

test('lines that are no run are counted for what they are', () => {
  const lines = [
    '',
    ' \r',
    '{"record_type":"run","event_',
    '{"record_type":"event","run_id":"r"}',
    '[]',
    '{"event_id":"e"}',
  ];
  const long = aRecord({ output_summary: 'x'.repeat(10_000) });
  const { counts, findings } = reconcile(memoryDatabase(), [...lines, long]);
  assert.deepEqual(counts, { records: 0, events: 1, blank: 2, torn: 1, unusable: 3, deleted: 0 });
  assert.equal(findings.size, 0);
});

test('a record with NaN or half a character is no torn line, and not behind once it is stored', () => {
  const db = memoryDatabase();
  const record = aRecord({ event_id: 'nan' });
  const line = JSON.stringify(record).replace(/}$/, String.raw`,"metrics_json":{"l":NaN,"\ud83d":"\ude00"}}`);
  assert.equal(reconcile(db, [line]).findings.get('nan')?.lack, 'missing');
  groupWriter(db).execute(groupOf(batch(`[${line}]`, true)));
  const { counts, findings } = reconcile(db, [line]);
  assert.deepEqual([counts.torn, counts.records, findings.size], [0, 1, 0]);
});

test('a line that holds more than is taken is unusable, not torn', () => {
  const line = `{"event_id":"a","m":[${'1e999,'.repeat(50_000)}1e999]}`;
  const db = memoryDatabase();
  const reconciliation = new Reconciliation(db, { maxRunBytes: 1_000_000, notedAt: NOTED_AT });
  const bytes = Buffer.from(line);
  reconciliation.take({ offset: 0, next: 0, bytes, length: bytes.length }, { index: 0, mtimeMs: 0 });
  assert.deepEqual([reconciliation.counts.torn, reconciliation.counts.unusable], [0, 1]);
});
