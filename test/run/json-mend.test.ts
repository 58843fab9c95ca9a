/** Words for numbers that are none, and halves of characters, wherever they stand in JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, parsePlainJson } from '../../src/run.ts';
import { storedJson } from '../../src/run/json.ts';
import { Mended } from '../../src/run/mended.ts';
import { cut } from '../../src/run/text.ts';

const HALF = String.raw`\ud83d`;

test('NaN, Infinity and -Infinity are null outside strings, and counted', () => {
  for (const [text, value, count] of [
    ['{"l":NaN}', '{"l":null}', 1],
    [
      '{"a":[NaN, -Infinity,Infinity],"NaN":"Infinity","b":{"c" : NaN }}',
      '{"a":[null,null,null],"NaN":"Infinity","b":{"c":null}}',
      4,
    ],
    [String.raw`["\"NaN",NaN,"\\",NaN,"NaN\\\"NaN"]`, String.raw`["\"NaN",null,"\\",null,"NaN\\\"NaN"]`, 2],
    ['NaN', 'null', 1],
    ['[12345678901234567890,NaN]', '[12345678901234567890,null]', 1],
  ] as const) {
    const mended = new Mended();
    const parsed = parseJson(text, mended);
    mended.keep();
    assert.deepEqual(mended.counts, { not_a_number: count }, text);
    assert.equal(JSON.stringify(parsed), value);
  }
});

test('any JSON with such words in place of its nulls means the same as with the nulls', () => {
  const words = fc.constantFrom('NaN', 'Infinity', '-Infinity');
  fc.assert(
    fc.property(fc.json(), words, (json, word) => {
      // A null outside strings only: texts are told apart by what JSON.stringify makes of them.
      const text = JSON.stringify(JSON.parse(json), (_key, value: unknown) =>
        typeof value === 'string' ? `${value}NaN` : value,
      );
      const given = text.replaceAll(/"(?:[^"\\]|\\.)*"|null/g, (found) => (found === 'null' ? word : found));
      assert.deepEqual(parsePlainJson(given), JSON.parse(text));
    }),
  );
});

test('what is no word, and what is no JSON all the same, is refused', () => {
  for (const text of ['[nan]', '[- Infinity]', '[NaNN]', '[1NaN]', '{NaN:1}', '{"a":NaN', '[+Infinity]', '["NaN]'])
    assert.throws(() => parseJson(text), SyntaxError, text);
});

test('half a character becomes U+FFFD in names and values, however deep, and whole ones stay', () => {
  const value = JSON.parse(
    `{"o":"cut ${HALF}","${HALF}":[{"\\ude00x":["\\ud83d\\ude00","\\\\ud83d",1]}],"__proto__":{"a":"${HALF}"}}`,
  ) as unknown;
  const mended = new Mended();
  const stored = storedJson(value, mended);
  mended.keep();
  assert.equal(stored, '{"o":"cut \uFFFD","\uFFFD":[{"\uFFFDx":["😀","\\\\ud83d",1]}],"__proto__":{"a":"\uFFFD"}}');
  assert.deepEqual(mended.counts, { half_character: 4 });
});

test('text that only looks like an escape is stored as it is, and nothing is counted', () => {
  const mended = new Mended();
  const value = { path: 'C:\\ud8ff\\udata', n: 1 };
  assert.equal(storedJson(value, mended), JSON.stringify(value));
  mended.keep();
  assert.deepEqual(mended.counts, {});
});

test('half a character within JSON that is given as text is mended too, beside a long number', () => {
  assert.equal(storedJson(`{"a":"${HALF}","n":12345678901234567890}`), '{"a":"\uFFFD","n":12345678901234567890}');
});

test('of two names that become one, the last one keeps its value', () => {
  assert.equal(storedJson(`{"${HALF}":1,"\\ud83e":2}`), '{"\uFFFD":2}');
});

test('what is stored is whole text, whatever comes', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text), fc.dictionary(text, text))), (object) => {
      const stored = storedJson(object);
      assert.ok(stored.isWellFormed());
      assert.ok(!JSON.stringify(JSON.parse(stored)).includes('\\ud'), stored);
    }),
    { numRuns: 30 },
  );
});

test('a text is cut between characters, and halves in it become U+FFFD', () => {
  assert.equal(cut('ab😀', 3, '…'), 'ab…');
  assert.equal(cut('ab😀', 4, '…'), 'ab😀');
  assert.equal(cut('a\ud83db', 9), 'a\uFFFDb');
  assert.equal(cut('\ude00abc', 2), '\uFFFDa');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(10), (given, length) => {
      const shown = cut(given, length);
      assert.ok(shown.isWellFormed() && shown.length <= length);
    }),
  );
});
