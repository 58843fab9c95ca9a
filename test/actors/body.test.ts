import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBatch, parseBody } from '../../src/actors/body.ts';
import { aRecord } from '../support/database.ts';

const MAX = 1_000_000;

/** An array of `count` - 1 others: `count` containers. */
const containers = (count: number, one = '[]'): Buffer => Buffer.from(`[${`${one},`.repeat(count - 2)}${one}]`);

for (const one of ['[]', '{}']) {
  test(`a body of more than a million containers is too large: ${one}`, () => {
    assert.equal((parseBody(containers(MAX, one)) as unknown[]).length, MAX - 1);
    assert.throws(() => parseBody(containers(MAX + 1, one)), { code: 'too_large', message: /Send it in parts/ });
    assert.throws(() => parseBatch(containers(MAX + 1, one), 10 * MAX), { code: 'too_large' });
  });
}

test('brackets in texts are no containers, however they are escaped', () => {
  for (const text of ['[', '{', '"[', '\\"[{', '\\\\', '[\\']) {
    const value = [text.repeat(MAX), text, [text]];
    assert.deepEqual(parseBody(Buffer.from(JSON.stringify(value))), value);
  }
});

test('containers behind a text that ends in a backslash are counted', () => {
  const body = Buffer.from(`["\\\\",${containers(MAX).toString()}]`);
  assert.throws(() => parseBody(body), { code: 'too_large' });
});

test('a batch as large in bytes as one refused for its containers is taken', () => {
  const { byteLength } = containers(MAX + 1);
  const record = JSON.stringify(aRecord({ output_summary: 'x'.repeat(600), metrics_json: { a: [1, { b: [] }] } }));
  const count = Math.ceil(byteLength / (record.length + 1));
  const body = Buffer.from(`[${Array<string>(count).fill(record).join()}]`);
  assert.ok(body.byteLength >= byteLength);
  assert.equal(parseBatch(body, count).items.length, count);
});
