import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_INDEX, isJsonObject, MAX_JSON_DEPTH, parseJson, storedValue } from '../../src/run.ts';
import { jsonObjectOf, withinDepth } from '../../src/run/json.ts';

const again = (text: string): string => JSON.stringify(parseJson(text));

test('an integer that a double would change keeps every digit', () => {
  const integers = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
  fc.assert(
    fc.property(fc.array(integers, { maxLength: 4 }), (numbers) => {
      const text = `{"n":[${numbers.join(',')}]}`;
      assert.equal(again(text), text);
    }),
  );
});

for (const number of [
  '9007199254740993',
  '-9007199254740993',
  '123456789012345678901234567890',
  '1e400',
  '-1E+400',
  '12345678901234567.0',
]) {
  test(`${number} is written back as it came, wherever it stands`, () => {
    for (const text of [number, `[${number}]`, `{"a":{"b":[1,${number}]}}`]) assert.equal(again(text), text);
  });
}

test('numbers that a double holds stay numbers beside those it does not', () => {
  const value = parseJson('{"big":9007199254740993,"safe":9007199254740991,"text":"9007199254740993","half":0.5}');
  const { big, ...others } = value as Record<string, unknown>;
  assert.deepEqual(others, { safe: 9007199254740991, text: '9007199254740993', half: 0.5 });
  assert.equal(JSON.stringify(big), '9007199254740993');
});

test('any JSON means the same as to JSON.parse', () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (json, careful) => {
      // The long string takes the parse that preserves sources.
      const text = careful ? `[${json},"0000000000000000"]` : json;
      assert.deepEqual(JSON.parse(again(text)), JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

test('what is not JSON throws a SyntaxError', () => {
  for (const text of [
    '',
    '{',
    '{"a":}',
    '[1,]',
    'nan',
    '-',
    '- Infinity',
    '[1,NaN',
    '{NaN:1}',
    "{'a':1}",
    '01',
    '1234567890123456 x',
  ])
    assert.throws(() => parseJson(text), SyntaxError, text);
});

test('a number that keeps its source is no object', () => {
  assert.equal(isJsonObject(parseJson('9007199254740993')), false);
  assert.equal(isJsonObject(parseJson('{"rawJSON":"9007199254740993"}')), true);
  for (const value of [null, [], '{}', 5, undefined]) assert.equal(isJsonObject(value), false);
});

test('a JSON field takes an object or the text of one, and nothing else', () => {
  assert.deepEqual(jsonObjectOf({ a: 1 }), { a: 1 });
  assert.deepEqual(jsonObjectOf('{"a":1}'), { a: 1 });
  for (const value of ['[]', '5', '"{}"', '', '{', [], 5, true, null]) assert.equal(jsonObjectOf(value), undefined);
});

test('it is stored re-serialised, to the digit, __proto__ and all', () => {
  const store = (value: unknown): unknown => storedValue(FIELD_INDEX.metrics_json, value);
  assert.equal(store('{ "a" : 9007199254740993 }'), '{"a":9007199254740993}');
  assert.equal(
    store(parseJson('{ "a" : 9007199254740993, "b": "\\u0000\\ud800" }')),
    '{"a":9007199254740993,"b":"\\u0000\uFFFD"}',
  );
  assert.equal(store('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}');
  assert.equal(store({}), '{}');
});

test('nesting is counted in objects and arrays, and bounded', () => {
  const nested = (levels: number): unknown => JSON.parse('[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2));
  assert.equal(withinDepth(nested(MAX_JSON_DEPTH)), true);
  assert.equal(withinDepth(nested(MAX_JSON_DEPTH + 2)), false);
  assert.equal(withinDepth({ wide: new Array(1000).fill({}) }, 3), true);
  assert.equal(withinDepth({ wide: [{}] }, 2), false);
  assert.equal(withinDepth(5, 0), true);
});

test('a number beyond a double is found wherever JSON may have one, and nowhere else', () => {
  const digits = '12345678901234567890';
  for (const text of [
    digits,
    ` -${digits}`,
    `[${digits}]`,
    `[ \n${digits} ]`,
    `[1,${digits}]`,
    `[true , -${digits}]`,
    `[null,${digits}]`,
    `["a",${digits}]`,
    `[[],${digits}]`,
    `[{} ,${digits}]`,
    `{"a":${digits}}`,
    `{"a\\"" : ${digits}}`,
    `[1e400]`,
    `{"a":-1.5e1000}`,
  ])
    assert.ok(JSON.stringify(parseJson(text)).includes(/-?\d[\d.e]{4,}/.exec(text)?.[0] ?? '?'), text);
  const hash = { text: `fix: ${digits}, ${digits} [${digits}`, sha: `1e400${digits}` };
  assert.deepEqual(parseJson(JSON.stringify(hash)), hash);
});
