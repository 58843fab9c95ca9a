import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, FIELDS, PATCH_FIELDS, TABLE } from '../../src/run.ts';
import {
  assertInvalid,
  assertUntouched,
  BATCH,
  create,
  pathOf,
  rowOf,
  RUNS,
  serviceOfFile,
  storedRuns,
} from '../support/http.ts';
import { lettered, nested, withMember } from '../support/json-text.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile();

const quoted = (text: string): string => `"${text}"`;
const OVERRIDES =
  '{"toString":"x","valueOf":null,"toJSON":"x","length":5,"constructor":{"name":5},"__proto__":{"x":1}}';
const NO_TIME = [
  '5',
  '99999999',
  '-1765368330',
  '1e17',
  'true',
  '[]',
  '["x"]',
  '{}',
  OVERRIDES,
  '12345678901234567890',
  '1e400',
  nested(400),
];
const NO_TEXT = ['5', 'true', '[]', '["x"]', '{}', OVERRIDES, '12345678901234567890', '1e400', nested(400)];
const NO_NUMBER = ['[]', '[1]', '{}', OVERRIDES, '" "', '"true"', '"x"', '"1e3"', '"0x10"', '"NaN"', '"1\\u0000"'];

// What each kind of field refuses, as JSON text.
const WRONG: Record<(typeof FIELDS)[number]['kind'], string[]> = {
  id: [
    ...NO_TEXT,
    '""',
    quoted('x'.repeat(513)),
    quoted('ü'.repeat(257)),
    '"a\\u0000b"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"a\\udfffb"',
  ],
  reference: NO_TEXT,
  text: NO_TEXT,
  remote: NO_TEXT,
  source: [...NO_TEXT, ...['CI', ' ci', 'github', 'manual,llm', '\\u0000', 'constructor'].map(quoted)],
  count: [
    ...NO_NUMBER,
    '-1',
    '1.5',
    '"-1"',
    '"-0"',
    '"1.5"',
    '"5.05"',
    '9007199254740992',
    '"9007199254740992"',
    '1e400',
    '-1e400',
    '-5e-324',
  ],
  boolean: ['2', '-1', '0.5', '"x"', '"yes"', '"2"', '[]', '[true]', '{}', OVERRIDES, '12345678901234567890'],
  timestamp: [
    ...NO_TIME,
    ...[' ', 'now', '2026', '20260110', '2026-13-01', '2026-02-29', '2026-01-10T24:00:00Z', '2026-01-10T12:60:00Z'].map(
      quoted,
    ),
    ...['2026-01-10T12:00:00+25:00', '0000-01-01', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00'].map(
      quoted,
    ),
    ...['2026-01-10T12:00:00Z\\u0000', '２０２６-01-10', '1'.repeat(10_000), '2026-01-10T12:00:00ZZ'].map(quoted),
  ],
  status: [...NO_TEXT, ...['done', 'Success', 'success ', 'toString', 'constructor', '__proto__'].map(quoted)],
  json: ['5', 'true', '[]', '"x"', '"5"', '"null"', '"[]"', '"{"', '12345678901234567890', nested(501), nested(20_000)],
};

const wrongOf = ({ kind, required }: Field): string[] => (required ? [...WRONG[kind], '""'] : WRONG[kind]);

for (const field of TABLE) {
  const { name } = field;
  test(`a run with any wrong ${name} answers 422, names it and is not stored`, async (t) => {
    const before = storedRuns(t, service());
    for (const wrong of wrongOf(field)) {
      const body = withMember(lettered(), name, wrong);
      assertInvalid(await service().request('POST', RUNS, body), [`body.${name}`], wrong.slice(0, 100));
    }
    await assertUntouched(t, service(), before);
  });
}

for (const { name, kind } of PATCH_FIELDS) {
  test(`a patch with any wrong ${name} answers 422, names it and changes nothing`, async (t) => {
    const { event_id } = await create(service());
    const before = rowOf(t, service(), event_id);
    for (const wrong of WRONG[kind]) {
      const body = withMember({ output_summary: name === 'output_summary' ? undefined : 'fine' }, name, wrong);
      assertInvalid(await service().request('PATCH', pathOf(event_id), body), [`body.${name}`], wrong.slice(0, 100));
    }
    assert.deepEqual(rowOf(t, service(), event_id), before);
  });
}

test('a batch of every wrong value stores the good runs between them', async (t) => {
  const before = storedRuns(t, service());
  const parsable = (kind: (typeof FIELDS)[number]['kind']): string[] =>
    WRONG[kind].filter((json) => json.length < 10_000 || kind === 'timestamp');
  const wrong = FIELDS.flatMap(({ name, kind }) => parsable(kind).map((json) => withMember(aRun(), name, json)));
  const good = wrong.map(() => JSON.stringify(aRun()));
  const items = wrong.flatMap((json, index) => [json, good[index]]);
  const { status, body } = await service().request('POST', BATCH, `[${items.join()}]`);
  const { errors, ...counts } = body as { errors: string[] };
  assert.deepEqual([status, counts], [200, { inserted: good.length, duplicates: 0, total: items.length }]);
  assert.equal(errors.length, wrong.length);
  assert.equal(storedRuns(t, service()), before + good.length);
});

test('an error shows no more than a line of a huge value', async () => {
  const answer = await service().request('POST', RUNS, aRun({ status: 'x'.repeat(500_000) }));
  assertInvalid(answer, ['body.status']);
  assert.ok(JSON.stringify(answer.body).length < 1_000);
});

test('a number too large is called too large, and shown', async () => {
  const answer = await service().request('POST', RUNS, withMember(aRun(), 'duration_ms', '9007199254740993'));
  const { type, input } = (answer.body as { detail: { type: string; input: unknown }[] }).detail[0] ?? {};
  assert.equal(type, 'less_than_equal');
  assert.match(String(input), /^900719925474099/);
});
