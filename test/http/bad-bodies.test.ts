import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertInvalid,
  assertUntouched,
  create,
  pathOf,
  rowOf,
  RUNS,
  serviceOfFile,
  storedRuns,
} from '../support/http.ts';

const service = serviceOfFile();

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const around = (...values: number[]): Uint8Array =>
  Buffer.concat([Buffer.from('{"event_id":"'), bytes(...values), Buffer.from('"}')]);

const MALFORMED: Record<string, string | Uint8Array> = {
  nothing: bytes(),
  'white space': ' \n\t ',
  'half an object': '{"event_id":',
  'two documents': '{}{}',
  'single quotes': "{'event_id':'x'}",
  'a comma too many': '{"a":1,}',
  nan: '{"duration_ms":nan}',
  'a form': 'event_id=x&run_id=y',
  'a raw line break in a string': '{"event_id":"a\nb"}',
  'a broken escape': '{"event_id":"\\ud8"}',
  'a NUL': '\0',
  'an invalid byte': around(0xff),
  'a cut sequence': around(0xe2, 0x82),
  'an overlong sequence': around(0xc0, 0x80),
  'an encoded surrogate': around(0xed, 0xa0, 0x80),
  'a code point beyond Unicode': around(0xf4, 0x90, 0x80, 0x80),
  Latin1: Buffer.from('{"event_id":"ä"}', 'latin1'),
  'UTF-16': Buffer.from('{"event_id":"x"}', 'utf16le'),
  '100,000 open arrays': '['.repeat(100_000),
  '100,000 open objects': '{"a":'.repeat(100_000),
  'a value that is no object': '5',
  null: 'null',
  'an array': '[]',
  'an array that is deep': '['.repeat(100_000) + ']'.repeat(100_000),
  'a string': '"{}"',
  'a long number': '9'.repeat(100_000),
};

for (const [what, body] of Object.entries(MALFORMED)) {
  test(`a body of ${what} answers 422 everywhere and is not stored`, async (t) => {
    const { event_id } = await create(service());
    const row = rowOf(t, service(), event_id);
    const before = storedRuns(t, service());
    for (const [method, path] of [
      ['POST', RUNS],
      ['PATCH', pathOf(event_id)],
      ['POST', pathOf(event_id, '/associate-commit')],
    ] as const) {
      assertInvalid(await service().request(method, path, body), ['body'], path);
    }
    assert.deepEqual(rowOf(t, service(), event_id), row);
    await assertUntouched(t, service(), before);
  });
}

test('what is wrong with a body is said without quoting it', async () => {
  for (const [body, msg] of [
    ['', 'The body is empty. Send a JSON document.'],
    [around(0xff), 'The body is not valid UTF-8. Send JSON encoded as UTF-8.'],
    ['{"event_id" "secret"}', 'The body is not valid JSON (at position 12).'],
  ] as const) {
    const answer = await service().request('POST', RUNS, body);
    assert.deepEqual(answer.body, { detail: [{ type: 'json_invalid', loc: ['body'], msg, input: null }] });
  }
});
