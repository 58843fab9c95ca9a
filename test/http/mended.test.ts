/** What is no JSON as Python and others write it, at every door of a running service; counted once each. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BATCH, create, pathOf, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { withMember } from '../support/json-text.ts';
import { aRun, type Service } from '../support/service.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const service = serviceOfFile();
const HALF = String.raw`{"o":"cut \ud83d"}`;

/** Values mended so far, by reason. */
async function mended({ request }: Service): Promise<[numbers: number, halves: number]> {
  const text = String((await request('GET', '/metrics/prometheus')).body);
  const of = (reason: string): number =>
    Number(new RegExp(`^local_telemetry_mended_values_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  return [of('not_a_number'), of('half_character')];
}

async function counting(work: () => Promise<void>): Promise<[numbers: number, halves: number]> {
  const before = await mended(service());
  await work();
  const after = await mended(service());
  return [after[0] - before[0], after[1] - before[1]];
}

test('a run with NaN and half a character is stored with null and U+FFFD', async () => {
  const run = aRun();
  const body = withMember(run, 'metrics_json', '{"l":NaN,"m":[-Infinity]}');
  const both = body.replace(/}$/, `,"context_json":${HALF}}`);
  const counts = await counting(async () => {
    assert.equal((await service().request('POST', RUNS, both)).status, 201);
  });
  const { metrics_json, context_json } = await shown(service(), run.event_id);
  assert.deepEqual([metrics_json, context_json], [{ l: null, m: [null] }, { o: 'cut \uFFFD' }]);
  assert.deepEqual(counts, [2, 1]);
});

test('JSON that is given as text is mended likewise', async () => {
  const run = aRun({ metrics_json: '{"l":Infinity,"t":"NaN"}', context_json: HALF });
  const counts = await counting(async () => {
    assert.equal((await service().request('POST', RUNS, run)).status, 201);
  });
  const { metrics_json, context_json } = await shown(service(), run.event_id);
  assert.deepEqual([metrics_json, context_json], [{ l: null, t: 'NaN' }, { o: 'cut \uFFFD' }]);
  assert.deepEqual(counts, [1, 1]);
});

test('of a batch of 300 runs one has NaN and one is no JSON: 299 are stored, and one line says which is not', async () => {
  const runs = Array.from({ length: 300 }, () => aRun());
  const texts = runs.map((run) => JSON.stringify(run));
  texts[100] = withMember(runs[100] as object, 'metrics_json', '{"l":NaN}');
  texts[200] = withMember(runs[200] as object, 'metrics_json', '{"l":nan}');
  const counts = await counting(async () => {
    const { status, body } = await service().request('POST', BATCH, `[${texts.join(',')}]`);
    const { errors, ...rest } = body as { errors: string[] };
    assert.deepEqual([status, rest], [200, { inserted: 299, duplicates: 0, total: 300 }]);
    assert.equal(errors.length, 1);
    assert.ok(errors[0]?.startsWith(`${runs[200]?.event_id}: The item is not valid JSON`), errors[0]);
  });
  assert.deepEqual(counts, [1, 0]);
});

test('PATCH and associate-commit mend what they are sent', async () => {
  const { event_id } = await create(service());
  const counts = await counting(async () => {
    const patched = await service().request(
      'PATCH',
      pathOf(event_id),
      `{"metrics_json":{"l":NaN},"context_json":${HALF}}`,
    );
    assert.equal(patched.status, 200);
    const commit = '{"commit_hash":"abcdef1","commit_source":"llm","commit_author":NaN}';
    assert.equal((await service().request('POST', `${pathOf(event_id)}/associate-commit`, commit)).status, 200);
  });
  const { metrics_json, context_json } = await shown(service(), event_id);
  assert.deepEqual([metrics_json, context_json], [{ l: null }, { o: 'cut \uFFFD' }]);
  assert.deepEqual(counts, [2, 1]);
});

test('what is refused counts nowhere', async () => {
  const counts = await counting(async () => {
    const body = withMember(aRun({ start_time: 5 }), 'metrics_json', '{"l":NaN}');
    assert.equal((await service().request('POST', RUNS, body)).status, 422);
  });
  assert.deepEqual(counts, [0, 0]);
});

test('a line of the spool with them ends its run, and is counted once', async () => {
  const { event_id, ...run } = await create(service(), { status: 'running' });
  const spool = spoolOf(service().directory);
  const ended = withMember({ ...run, event_id, status: 'success' }, 'metrics_json', '{"l":NaN,"t":"\\ud83d"}');
  const counts = await counting(async () => {
    appendFileSync(join(spool, 'telemetry_20260110_120000.jsonl.ready'), `{"event_id":x}\n${ended}\n`);
    await drained(service(), 1);
  });
  const { status, metrics_json } = await shown(service(), event_id);
  assert.deepEqual([status, metrics_json], ['success', { l: null, t: '\uFFFD' }]);
  assert.deepEqual(counts, [1, 1]);
});

test('an answer shows no half of a character, neither of an input nor of what it cuts', async () => {
  const { body } = await service().request('POST', RUNS, withMember(aRun(), 'host', String.raw`["\ud83d"]`));
  assert.ok(body);
  for (const value of [String.raw`"\ud83d"`, `"${'x'.repeat(199)}😀"`]) {
    const answer = await fetch(service().url + RUNS, { method: 'POST', body: withMember(aRun(), 'status', value) });
    const text = await answer.text();
    assert.equal(answer.status, 422);
    assert.ok(!text.includes(String.raw`\ud`), text);
  }
  const eventId = `${'x'.repeat(199)}😀`;
  const answer = await fetch(service().url + BATCH, { method: 'POST', body: JSON.stringify([{ event_id: eventId }]) });
  const { errors } = (await answer.json()) as { errors: string[] };
  assert.ok(errors[0]?.startsWith(`${'x'.repeat(199)}: `), errors[0]);
});
