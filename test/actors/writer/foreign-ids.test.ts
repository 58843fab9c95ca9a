/** Beside a row with the greatest id there is, SQLite gives new rows any that is free: most of them are no numbers in JavaScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aRecord, create, groupOf, groupWriter, memoryDatabase, update } from '../../support/database.ts';

test('runs are stored, changed and keep what was mended in them, whatever their row is called', () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  writer.execute(groupOf(create(aRecord())));
  db.exec('UPDATE agent_runs SET id = 9223372036854775807');
  const records = Array.from({ length: 20 }, () => aRecord({ website: 'w'.repeat(3_000) }));
  for (const record of records) {
    const [created] = writer.execute(groupOf(create(record)));
    assert.ok(created?.ok, JSON.stringify(created));
    const [changed] = writer.execute(groupOf(update(String(record.event_id), { status: 'success' })));
    assert.ok(changed?.ok, JSON.stringify(changed));
  }
  const of = (table: string): unknown =>
    db.prepare(`SELECT count(*) FROM ${table} JOIN agent_runs USING (id)`).pluck().get();
  assert.deepEqual([of('run_originals'), of('run_clocks')], [records.length, records.length]);
});
