import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { fitted as fittedForever } from '../../src/client/fit.ts';
import { TABLE as FIELDS } from '../../src/run.ts';
import { aClient, linesIn, spoolNames } from '../support/client.ts';
import { openToVerify, startService } from '../support/service.ts';

const LIMIT = 900_000;
const WIDE = '€'.repeat(100_000);
const TEXTS = ['input_summary', 'output_summary', 'error_summary', 'error_details'] as const;
const LARGE = {
  ...Object.fromEntries(TEXTS.map((name) => [name, WIDE])),
  metrics_json: Object.fromEntries(Array.from({ length: 350 }, (_each, n) => [`m${n}`, 'x'.repeat(1_000)])),
};
const SMALL = { event_id: 'large', agent_name: 'agent', product: 'slides', items_succeeded: 7 };

/** A loop without end fails its test, and does not hold up all the others. */
const fitted = (record: Record<string, unknown>): ReturnType<typeof fittedForever> =>
  runInNewContext('work()', { work: () => fittedForever(record) }, { timeout: 5_000 }) as never;

test('a record that is too large is cut where it is largest, and keeps its small fields', () => {
  const record: Record<string, unknown> = { ...SMALL, ...structuredClone(LARGE) };
  const { json, cut } = fitted(record);
  assert.ok(Buffer.byteLength(json) < LIMIT);
  assert.ok(cut.length > 0 && cut.every((name) => name in LARGE));
  const { event_id, agent_name, product, items_succeeded } = record;
  assert.deepEqual({ event_id, agent_name, product, items_succeeded }, SMALL);
  assert.deepEqual(JSON.parse(json), record);
  for (const name of TEXTS) assert.ok(String(record[name]).startsWith('€'.repeat(2_000)));
});

const NAMES = FIELDS.filter(({ kind }) => kind === 'text').map(({ name }) => name);

for (const [what, text] of Object.entries({
  'of three bytes': '€'.repeat(19_900),
  'that JSON escapes': '\u0001'.repeat(3_300),
  'that JSON escapes, which are cut,': '\u0001'.repeat(100_000),
})) {
  test(`many texts of middling size, in characters ${what} are cut, too`, () => {
    const record: Record<string, unknown> = { ...SMALL, ...Object.fromEntries(NAMES.map((name) => [name, text])) };
    const { json } = fitted(record);
    assert.ok(Buffer.byteLength(json) <= LIMIT, `${Buffer.byteLength(json)} bytes`);
    assert.equal(record.event_id, SMALL.event_id);
  });
}

test('what identifies a run is never cut, however long it is', () => {
  const event_id = 'x'.repeat(90_000);
  const texts = Object.fromEntries(NAMES.map((name) => [name, '€'.repeat(19_900)]));
  const record: Record<string, unknown> = { ...SMALL, ...texts, event_id };
  fitted(record);
  assert.equal(record.event_id, event_id);
});

for (const [what, record] of Object.entries({
  'of a few fields': { ...SMALL, metrics_json: { a: [1, { b: null }] }, input_summary: 'in' },
  'that is large but fits': { ...SMALL, ...Object.fromEntries(TEXTS.map((name) => [name, 'x'.repeat(200_000)])) },
})) {
  test(`a record ${what} stays as it is`, () => {
    const before = structuredClone(record);
    assert.deepEqual(fitted(record), { json: JSON.stringify(before), cut: [] });
    assert.deepEqual(record, before);
  });
}

test('the service takes a run of any size as far as it fits, and one warning tells', async (t) => {
  const service = await startService(t);
  const { client, spool, warnings } = aClient(t, { apiUrl: service.url });
  const run = client.startRun('agent', 'large', { product: 'slides' });
  client.setMetrics(run, LARGE);
  client.endRun(run, 'partial', { ...LARGE, items_succeeded: 7 });
  assert.equal(await client.flush(), true);
  const row = openToVerify(t, service.path).prepare('SELECT * FROM agent_runs').get() as Record<string, unknown>;
  assert.deepEqual([row.product, row.status, row.items_succeeded], ['slides', 'partial', 7]);
  for (const name of TEXTS) assert.ok(String(row[name]).startsWith('€'.repeat(2_000)), name);
  assert.equal((await client.getStats()).delivery.rejected, 0);
  assert.deepEqual([linesIn(spool), spoolNames(spool)], [[], []]);
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]), /a run is too large; .* was cut/);
});
