import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { create, pathOf, RUNS, rowOf, serviceOfFile, shown } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

const STATUSES = {
  running: 'running',
  success: 'success',
  failure: 'failure',
  partial: 'partial',
  timeout: 'timeout',
  cancelled: 'cancelled',
  failed: 'failure',
  completed: 'success',
  succeeded: 'success',
};

test('every status and alias is stored under its canonical name', async (t) => {
  for (const [sent, stored] of Object.entries(STATUSES)) {
    const { event_id } = await create(service(), { status: sent });
    assert.equal((await shown(service(), event_id)).status, stored, sent);
    assert.equal(rowOf(t, service(), event_id)?.status, stored, sent);
  }
});

test('numbers are taken as numeric strings, up to 2^53 - 1', async (t) => {
  const counts = { items_discovered: '12', items_failed: '007', items_skipped: '0', duration_ms: '9007199254740991' };
  const { event_id } = await create(service(), { ...counts, items_succeeded: 4_294_967_296 });
  const expected = [12, 7, 0, 9_007_199_254_740_991, 4_294_967_296];
  const names = [...Object.keys(counts), 'items_succeeded'];
  const fields = await shown(service(), event_id);
  assert.deepEqual(
    names.map((name) => fields[name]),
    expected,
  );
  const row = rowOf(t, service(), event_id);
  assert.deepEqual(
    names.map((name) => row?.[name]),
    expected,
  );
});

test('a boolean is taken as true, false, 0 or 1', async () => {
  for (const [sent, stored] of [
    [true, true],
    [false, false],
    [1, true],
    [0, false],
    ['1', true],
    ['0', false],
  ]) {
    const { event_id } = await create(service(), { api_posted: sent });
    assert.equal((await shown(service(), event_id)).api_posted, stored, JSON.stringify(sent));
  }
});

test('a JSON field that is encoded twice is stored once', async (t) => {
  const { event_id } = await create(service(), { metrics_json: '{ "a": [1, 2] }', context_json: '{}' });
  const { metrics_json, context_json } = await shown(service(), event_id);
  assert.deepEqual([metrics_json, context_json], [{ a: [1, 2] }, {}]);
  assert.equal(rowOf(t, service(), event_id)?.metrics_json, '{"a":[1,2]}');
});

const NUMBERS =
  '{"big":12345678901234567890,"negative":-9007199254740993,"odd":9007199254740993,"huge":1e400,"safe":1}';

for (const [how, sent] of [
  ['an object', NUMBERS],
  ['a string holding one', JSON.stringify(NUMBERS)],
]) {
  test(`integers beyond 2^53 come out of ${how} digit by digit`, async () => {
    const run = aRun();
    const body = JSON.stringify(run).replace(/}$/, `,"metrics_json":${sent}}`);
    assert.equal((await service().request('POST', RUNS, body)).status, 201);
    const single = await (await fetch(service().url + pathOf(run.event_id))).text();
    assert.ok(single.includes(`"metrics_json":${NUMBERS}`), single);
    const list = await (await fetch(`${service().url}${RUNS}?run_id=${String(run.run_id)}`)).text();
    assert.ok(list.includes(`"metrics_json":${NUMBERS}`), list);
  });
}

test('any JSON object comes back as it was sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (metrics) => {
      const { event_id } = await create(service(), { metrics_json: metrics });
      const sent = JSON.parse(JSON.stringify(metrics)) as unknown;
      assert.deepEqual((await shown(service(), event_id)).metrics_json, sent);
    }),
    { numRuns: 50 },
  );
});

const TIMES = {
  '2026-01-10T12:00:00Z': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10T12:00:00z': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10T12:00:00': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10 12:00:00': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10T12:00': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-10': '2026-01-10T00:00:00.000000+00:00',
  '2026-01-10T12:00:00.5Z': '2026-01-10T12:00:00.500000+00:00',
  '2026-01-10T12:00:00.123456789Z': '2026-01-10T12:00:00.123456+00:00',
  '2026-01-10T12:00:00+02:00': '2026-01-10T10:00:00.000000+00:00',
  '2026-01-10T12:00:00-0530': '2026-01-10T17:30:00.000000+00:00',
  '2026-01-10T12:00:00.000000+00:00': '2026-01-10T12:00:00.000000+00:00',
  '2026-01-01T00:30:00+01:00': '2025-12-31T23:30:00.000000+00:00',
  '2024-02-29T23:59:59.999999-00:01': '2024-03-01T00:00:59.999999+00:00',
  '20260110T120000Z': '2026-01-10T12:00:00.000000+00:00',
};

test('timestamps are stored in one form, in UTC with microseconds', async (t) => {
  for (const [sent, stored] of Object.entries(TIMES)) {
    const times = { created_at: sent, updated_at: sent, start_time: sent, end_time: sent };
    const { event_id } = await create(service(), times);
    const row = rowOf(t, service(), event_id);
    const fields = await shown(service(), event_id);
    for (const name of Object.keys(times)) {
      assert.equal(row?.[name], stored, `${name} ${sent}`);
      assert.equal(fields[name], stored, `${name} ${sent}`);
    }
  }
});

test('the two timestamps that are not of the run itself stay as sent', async () => {
  const sent = { git_commit_timestamp: 'Sat Jan 10 13:00:05 2026 +0100', api_posted_at: '2026-01-10T12:00:00Z' };
  const { event_id } = await create(service(), sent);
  const { git_commit_timestamp, api_posted_at } = await shown(service(), event_id);
  assert.deepEqual({ git_commit_timestamp, api_posted_at }, sent);
});

test('text of any language, quotes and control characters comes back unchanged', async () => {
  const text = 'Grüße 世界 🙂 "quoted" \\back\\ \n\t\u0001\u2028 </script> %41 \ufeff';
  const { event_id } = await create(service(), {
    agent_name: text,
    error_details: text,
    metrics_json: { [text]: text },
  });
  const { agent_name, error_details, metrics_json } = await shown(service(), event_id);
  assert.deepEqual([agent_name, error_details, metrics_json], [text, text, { [text]: text }]);
});

test('a NUL or lone surrogate in ordinary text is replaced, for a run is not lost for one character', async () => {
  const { event_id } = await create(service(), { error_details: 'a\0b\ud800c', git_repo: 'x\0', host: '\udc00' });
  const { error_details, git_repo, host } = await shown(service(), event_id);
  assert.deepEqual([error_details, git_repo, host], ['a\ufffdb\ufffdc', 'x\ufffd', '\ufffd']);
});

test('a NUL within a JSON field comes back as it was sent, half a character as U+FFFD', async () => {
  const metrics = { 'k\0': 'a\0b\ud800c' };
  const { event_id } = await create(service(), { metrics_json: metrics });
  assert.deepEqual((await shown(service(), event_id)).metrics_json, { 'k\0': 'a\0b\uFFFDc' });
});

test('an event_id of any characters is found again under its encoded path', async () => {
  for (const event_id of ['a/b c?d#e', '%41', '%', 'é🙂', '...', '"', "'; DROP TABLE agent_runs; --", '__proto__']) {
    await create(service(), { event_id });
    const { body } = await service().request('GET', pathOf(event_id));
    assert.equal((body as { event_id: string }).event_id, event_id);
  }
});
