import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchResult } from '../../../src/actors/protocol.ts';
import type { Outcome } from '../../../src/errors.ts';
import type { OnInvalid } from '../../../src/run/check.ts';
import {
  aRecord,
  groupOf,
  groupWriter,
  memoryDatabase,
  rollupsOf,
  type Sent,
  totalsOf,
} from '../../support/database.ts';

const MAX = 1_000;

const small = (body: unknown, merge = false, onInvalid: OnInvalid = 'refuse'): Sent => ({
  name: 'batch',
  args: { merge, onInvalid, maxRuns: 100, maxRunBytes: MAX },
  body,
});

function resultOf(outcomes: Outcome<unknown>[]): BatchResult {
  const [outcome] = outcomes;
  assert.ok(outcome?.ok);
  return outcome.value as BatchResult;
}

for (const name of ['output_summary', 'metrics_json', 'event_id']) {
  test(`an item too large by its ${name} becomes a line of the errors, and the others are stored`, () => {
    const db = memoryDatabase();
    const long = 'x'.repeat(MAX + 1);
    const large = aRecord({ [name]: name === 'metrics_json' ? { long } : long });
    const sent = [aRecord(), large, aRecord()];
    // An id is short at all other doors.
    const batch = small(sent, false, name === 'event_id' ? 'repair' : 'refuse');
    const { inserted, errors, total } = resultOf(groupWriter(db).execute(groupOf(batch)));
    assert.deepEqual([inserted, errors.length, total], [2, 1, 3]);
    assert.match(String(errors[0]), /: the run is larger than the 1000 bytes taken for one$/);
    assert.ok(errors[0]?.startsWith(large.event_id.slice(0, 200)), errors[0]);
    assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 2);
    assert.deepEqual(rollupsOf(db), totalsOf(db));
  });
}

test('an item too large is merged into no run', () => {
  const db = memoryDatabase();
  const writer = groupWriter(db);
  const run = aRecord();
  writer.execute(groupOf(small([run])));
  const more = { ...run, output_summary: 'x'.repeat(MAX), updated_at: '2030-01-01T00:00:00Z' };
  const { merged, duplicates, errors } = resultOf(writer.execute(groupOf(small([more], true))));
  assert.deepEqual([merged, duplicates, errors.length], [0, 0, 1]);
  assert.equal(db.prepare('SELECT output_summary FROM agent_runs').pluck().get(), null);
});

test('an item up to the bound is taken', () => {
  const db = memoryDatabase();
  const sent = [aRecord({ output_summary: 'x'.repeat(MAX / 2) })];
  assert.equal(resultOf(groupWriter(db).execute(groupOf(small(sent)))).inserted, 1);
});
