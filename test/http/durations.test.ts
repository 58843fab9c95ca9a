/** How long a run took, where nobody said it, at each door. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BATCH, create, pathOf, rowOf, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { aRun } from '../support/service.ts';
import { linesOf } from '../support/spool.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const service = serviceOfFile();

const END = '2026-01-10T12:03:20.0009Z';
const MERGE = `${BATCH}?on_duplicate=merge`;

const durationOf = async (eventId: string): Promise<unknown> => (await shown(service(), eventId)).duration_ms;
const send = (method: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> =>
  service().request(method, path, body);

/** Without a duration, with one that says nothing, and with one that says something. */
const RECORDS = [
  [{ end_time: END }, 200_000],
  [{ end_time: END, duration_ms: 0 }, 200_000],
  [{ end_time: END, duration_ms: 5 }, 5],
  [{ end_time: '2026-01-10T11:00:00Z' }, 0],
  [{}, 0],
] as const;

for (const [door, path, wrap] of [
  ['POST /runs', RUNS, (run: unknown) => run],
  ['a batch', BATCH, (run: unknown) => [run]],
  ['a batch that merges', MERGE, (run: unknown) => ({ runs: [run] })],
] as const) {
  test(`by ${door} a run with start and end has its duration`, async () => {
    for (const [fields, duration] of RECORDS) {
      const run = aRun(fields);
      assert.ok((await send('POST', path, wrap(run))).status < 300);
      assert.equal(await durationOf(run.event_id), duration, JSON.stringify(fields));
    }
  });
}

test('from the spool a run has its duration, also when its end comes alone', async () => {
  const runs = RECORDS.map(([fields]) => aRun(fields));
  const began = await create(service(), { status: 'running', duration_ms: 0 });
  const end = { ...began, status: 'success', end_time: END, updated_at: null };
  writeFileSync(join(spoolOf(service().directory), 'telemetry_1.jsonl.ready'), linesOf(...runs, end));
  await drained(service(), runs.length + 1);
  for (const [index, run] of runs.entries()) assert.equal(await durationOf(run.event_id), RECORDS[index]?.[1]);
  assert.equal(await durationOf(began.event_id), 200_000);
});

test('PATCH that sets an end names only that, and the duration follows each time', async () => {
  const { event_id } = await create(service());
  const patch = async (fields: Record<string, unknown>): Promise<unknown[]> => {
    const { body } = await send('PATCH', pathOf(event_id), fields);
    return [(body as { fields_updated: string[] }).fields_updated, await durationOf(event_id)];
  };
  assert.deepEqual(await patch({ end_time: END, status: 'success' }), [['end_time', 'status'], 200_000]);
  assert.deepEqual(await patch({ end_time: '2026-01-10T12:00:01Z' }), [['end_time'], 1_000]);
  assert.deepEqual(await patch({ end_time: '2026-01-10T11:00:00Z' }), [['end_time'], 0]);
  assert.deepEqual(await patch({ end_time: END, duration_ms: 0 }), [['end_time', 'duration_ms'], 200_000]);
  assert.deepEqual(await patch({ duration_ms: 9 }), [['duration_ms'], 9]);
  assert.deepEqual(await patch({ end_time: '2026-01-10T12:00:01Z' }), [['end_time'], 9], 'given is given');
});

test('what was derived gives way to whatever is given later, and follows a merged end or start until then', async (t) => {
  const run = await create(service(), { status: 'success', end_time: END, updated_at: '2026-01-10T12:04:00Z' });
  const merge = async (fields: Record<string, unknown>): Promise<unknown> => {
    const record = { ...run, end_time: null, ...fields };
    assert.equal(((await send('POST', MERGE, [record])).body as { merged: number }).merged, 1);
    return durationOf(run.event_id);
  };
  const later = '2026-01-10T12:05:00Z';
  assert.equal(await merge({ end_time: '2026-01-10T12:00:02Z', updated_at: later }), 2_000);
  assert.equal(await merge({ start_time: '2026-01-10T12:00:01Z', updated_at: '2026-01-10T12:06:00Z' }), 1_000);
  // Said before all of that: but nobody else has said anything.
  assert.equal(await merge({ duration_ms: 77, updated_at: '2026-01-09T12:00:00Z' }), 77);
  assert.equal(rowOf(t, service(), run.event_id)?.duration_ms, 77);
});
