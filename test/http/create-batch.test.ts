import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertError, assertInvalid, BATCH, create, rowOf, serviceOfFile, shown, storedRuns } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

test('an array of runs is stored and counted', async (t) => {
  const runs = [aRun(), aRun({ status: 'completed', items_failed: '3' }), aRun()];
  const answer = await service().request('POST', BATCH, runs);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { inserted: 3, duplicates: 0, errors: [], total: 3 });
  for (const { event_id } of runs) assert.ok(rowOf(t, service(), event_id));
  const { status, items_failed } = await shown(service(), runs[1]?.event_id ?? '');
  assert.deepEqual([status, items_failed], ['success', 3]);
});

test('an empty array is an empty batch', async () => {
  const answer = await service().request('POST', BATCH, []);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { inserted: 0, duplicates: 0, errors: [], total: 0 });
});

test('duplicates, of stored runs and within the batch, are counted and change nothing', async (t) => {
  const known = await create(service(), { product: 'first' });
  const twice = aRun({ product: 'first' });
  const batch = [{ ...known, product: 'second' }, twice, { ...twice, product: 'second' }];
  const answer = await service().request('POST', BATCH, batch);
  assert.deepEqual(answer.body, { inserted: 1, duplicates: 2, errors: [], total: 3 });
  assert.equal(rowOf(t, service(), known.event_id)?.product, 'first');
  assert.equal(rowOf(t, service(), twice.event_id)?.product, 'first');
});

test('one bad item costs the others nothing, and is named by its event_id or place', async (t) => {
  const good = [aRun(), aRun()];
  const bad = [aRun({ status: 'done', host: 5 }), { run_id: 'no event' }, null, 'text', [], aRun({ event_id: '' })];
  const answer = await service().request('POST', BATCH, [good[0], ...bad, good[1]]);
  assert.equal(answer.status, 200);
  const { errors, ...counts } = answer.body as { errors: string[] };
  assert.deepEqual(counts, { inserted: 2, duplicates: 0, total: 8 });
  const named = ['status: Input should be one of', 'event_id: Field required', 'Input should be a JSON object'];
  const [first, second, third] = errors;
  assert.ok(first?.startsWith(`${(bad[0] as { event_id: string }).event_id}: ${named[0]}`), first);
  assert.match(String(first), /; host: Input should be a string$/);
  assert.ok(second?.startsWith(`index 2: ${named[1]}; start_time: Field required`), second);
  assert.equal(third, `index 3: ${named[2]}`);
  assert.deepEqual(
    errors.slice(3).map((error) => error.split(':')[0]),
    ['index 4', 'index 5', 'index 6'],
  );
  for (const { event_id } of good) assert.ok(rowOf(t, service(), event_id));
});

test('a batch of nothing but bad items stores nothing and says why of each', async (t) => {
  const before = storedRuns(t, service());
  const answer = await service().request('POST', BATCH, [{}, 5]);
  assert.equal(answer.status, 200);
  const { errors, ...counts } = answer.body as { errors: string[] };
  assert.deepEqual([counts, errors.length], [{ inserted: 0, duplicates: 0, total: 2 }, 2]);
  assert.equal(storedRuns(t, service()), before);
});

test('the good items of any mixture of items are stored, each once', async (t) => {
  const item = fc.oneof(
    fc.constant('good'),
    fc.record({ status: fc.constantFrom('done', 5, []) }),
    fc.anything({ maxDepth: 1, values: [fc.integer(), fc.string(), fc.boolean(), fc.constant(null)] }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 12 }), async (items) => {
      const batch = items.map((kind) => (kind === 'good' ? aRun() : kind));
      const good = batch.filter((_, index) => items[index] === 'good') as { event_id: string }[];
      const { body } = await service().request('POST', BATCH, batch);
      const { errors, ...counts } = body as { errors: string[] };
      assert.deepEqual(counts, { inserted: good.length, duplicates: 0, total: items.length });
      assert.equal(errors.length, items.length - good.length);
      for (const { event_id } of good) assert.ok(rowOf(t, service(), event_id));
    }),
    { numRuns: 40 },
  );
});

test('a body of {"runs": [...]} answers 201 and a status where it created any', async () => {
  const run = aRun();
  const created = await service().request('POST', BATCH, { runs: [run, {}] });
  assert.equal(created.status, 201);
  const { errors, ...counts } = created.body as { errors: string[] };
  assert.deepEqual(counts, { status: 'created', inserted: 1, duplicates: 0, total: 2 });
  assert.match(String(errors), /^index 1: event_id: Field required/);
});

test('a body of {"runs": [...]} answers 200 where it created none', async () => {
  const run = await create(service());
  const duplicate = await service().request('POST', BATCH, { runs: [run], source: 'ignored' });
  assert.equal(duplicate.status, 200);
  assert.deepEqual(duplicate.body, { status: 'duplicate', inserted: 0, duplicates: 1, errors: [], total: 1 });
  assert.equal((await service().request('POST', BATCH, { runs: [{}] })).status, 200);
});

test('a body that is neither answers 422', async () => {
  for (const body of ['null', '5', '"x"', 'true']) {
    assertInvalid(await service().request('POST', BATCH, body), ['body'], body);
  }
  for (const body of ['{}', '{"runs":null}', '{"runs":{}}', '{"runs":"[]"}', '{"event_id":"x"}']) {
    assertInvalid(await service().request('POST', BATCH, body), ['body.runs'], body);
  }
});

test('on_duplicate=merge brings what is new into known runs and inserts the others', async (t) => {
  const known = await create(service(), { items_failed: 2, product: 'kept', updated_at: '2026-01-10T12:00:00Z' });
  const end = { ...known, product: null, status: 'completed', duration_ms: 5, updated_at: '2026-01-10T12:05:00Z' };
  const fresh = aRun();
  const answer = await service().request('POST', `${BATCH}?on_duplicate=merge`, [end, fresh]);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { inserted: 1, duplicates: 0, merged: 1, errors: [], total: 2 });
  const { status, duration_ms, items_failed, product, updated_at } = await shown(service(), known.event_id);
  assert.deepEqual([status, duration_ms, items_failed, product], ['success', 5, 2, 'kept']);
  assert.equal(updated_at, '2026-01-10T12:05:00.000000+00:00');
  assert.ok(rowOf(t, service(), fresh.event_id));
});

test('a record merged again is a duplicate, and an older one changes nothing', async () => {
  const known = await create(service(), { status: 'success', product: 'new', updated_at: '2026-01-10T12:05:00Z' });
  const older = { ...known, status: 'running', product: 'old', updated_at: '2026-01-10T12:00:00Z' };
  const answer = await service().request('POST', `${BATCH}?on_duplicate=merge`, [known, older]);
  assert.deepEqual(answer.body, { inserted: 0, duplicates: 2, merged: 0, errors: [], total: 2 });
  const { status, product } = await shown(service(), known.event_id);
  assert.deepEqual([status, product], ['success', 'new']);
});

test('{"runs": [...]} merges too', async () => {
  const known = await create(service(), { updated_at: '2026-01-10T12:00:00Z' });
  const end = { ...known, status: 'failed', updated_at: '2026-01-10T12:05:00Z' };
  const answer = await service().request('POST', `${BATCH}?on_duplicate=merge`, { runs: [end] });
  assert.equal(answer.status, 200);
  const counts = { status: 'merged', inserted: 0, duplicates: 0, merged: 1, errors: [], total: 1 };
  assert.deepEqual(answer.body, counts);
});

test('on_duplicate=ignore is the default by name; another value answers 422', async () => {
  const run = await create(service());
  const ignored = await service().request('POST', `${BATCH}?on_duplicate=ignore`, [run]);
  assert.deepEqual(ignored.body, { inserted: 0, duplicates: 1, errors: [], total: 1 });
  const msg = "Input should be 'ignore' or 'merge'";
  const detail = [{ type: 'enum', loc: ['query', 'on_duplicate'], msg, input: 'replace' }];
  assertError(await service().request('POST', `${BATCH}?on_duplicate=replace`, [run]), 422, detail);
});
