import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertInvalid,
  assertUntouched,
  BATCH,
  pathOf,
  rowOf,
  RUNS,
  serviceOfFile,
  storedRuns,
} from '../support/http.ts';
import { lettered, nested, withMember } from '../support/json-text.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

test('prototypes cannot be reached through names of members', async (t) => {
  const before = storedRuns(t, service());
  const run = JSON.stringify(aRun());
  assertInvalid(
    await service().request('POST', RUNS, `{"__proto__":${run}}`),
    ['event_id', 'run_id', 'agent_name', 'job_type', 'start_time'].map((name) => `body.${name}`),
  );
  await assertUntouched(t, service(), before);
  const metrics = '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"hasOwnProperty":1,"toJSON":1}';
  const { event_id } = aRun();
  await service().request('POST', RUNS, withMember(aRun({ event_id }), 'metrics_json', metrics));
  assert.equal(rowOf(t, service(), event_id)?.metrics_json, metrics);
  const text = await (await fetch(service().url + pathOf(event_id))).text();
  assert.ok(text.includes(`"metrics_json":${metrics}`), text);
  // The HTTP side runs in this thread.
  assert.deepEqual([({} as { x?: unknown }).x, Object.keys(Object.prototype)], [undefined, []]);
});

for (const [where, product] of [
  ['', 'none'],
  [' beside a long number', '1234567890123456'],
]) {
  test(`a field that nobody knows may nest thousands of levels deep${where}`, async () => {
    const body = withMember(lettered({ product }), 'unknown', nested(20_000));
    assert.equal((await service().request('POST', RUNS, body)).status, 201);
  });

  test(`a JSON field that nests thousands of levels deep${where} is named`, async () => {
    const body = withMember(lettered({ product }), 'metrics_json', nested(20_000));
    assertInvalid(await service().request('POST', RUNS, body), ['body.metrics_json']);
  });

  test(`an item that nests thousands of levels deep${where} costs the others of its batch nothing`, async (t) => {
    const good = [lettered({ product }), lettered()];
    const items = [good[0], lettered(), good[1]].map((run) => JSON.stringify(run));
    items[1] = withMember(lettered(), 'metrics_json', nested(20_000));
    const { status, body } = await service().request('POST', BATCH, `[${items.join()}]`);
    const { errors, ...counts } = body as { errors?: string[] };
    assert.deepEqual([status, counts], [200, { inserted: 2, duplicates: 0, total: 3 }]);
    assert.equal(errors?.length, 1);
    for (const run of good) assert.ok(rowOf(t, service(), String(run.event_id)));
  });
}

test('a JSON field may nest 500 levels, and comes back', async () => {
  const { event_id } = aRun();
  const body = withMember(aRun({ event_id }), 'context_json', nested(500));
  assert.equal((await service().request('POST', RUNS, body)).status, 201);
  const text = await (await fetch(service().url + pathOf(event_id))).text();
  assert.ok(text.includes(`"context_json":${nested(500)}`));
});
