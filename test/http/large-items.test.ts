import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH, pathOf, RUNS, serviceOfFile, shown, storedRuns } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile({ TELEMETRY_MAX_BODY_BYTES: '2048' });

test('a run too large to be sent alone is not taken in a batch either, and the others of it are', async (t) => {
  const large = aRun({ error_details: 'x'.repeat(2049) });
  const others = [aRun(), aRun()];
  const detail = 'The body is larger than the 2048 bytes taken here. Send it in parts.';
  const alone = await service().request('POST', RUNS, large);
  assert.deepEqual([alone.status, alone.body], [413, { detail }]);
  const { status, body } = await service().request('POST', BATCH, [others[0], large, others[1]]);
  const errors = [`${large.event_id}: the run is larger than the 2048 bytes taken for one`];
  assert.deepEqual([status, body], [200, { inserted: 2, duplicates: 0, errors, total: 3 }]);
  for (const { event_id } of others) assert.equal((await shown(service(), event_id)).event_id, event_id);
  assert.equal((await service().request('GET', pathOf(large.event_id))).status, 404);
  assert.equal(storedRuns(t, service()), 2);
});

test('a batch of nothing but runs too large says so of each and stores none', async (t) => {
  const before = storedRuns(t, service());
  const runs = [aRun({ error_details: 'x'.repeat(3_000) }), aRun({ metrics_json: { long: 'x'.repeat(3_000) } })];
  const { status, body } = await service().request('POST', BATCH, { runs });
  const errors = runs.map(({ event_id }) => `${event_id}: the run is larger than the 2048 bytes taken for one`);
  const counts = { inserted: 0, duplicates: 0, errors, total: 2 };
  assert.deepEqual([status, body], [200, { status: 'rejected', ...counts }]);
  assert.equal(storedRuns(t, service()), before);
});
