import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/run.ts';

const BIG = '1234567890123456789';

for (const [name, escape, meaning] of [
  ['line feeds', '\\n', '\n'],
  ['quotes', '\\"', '"'],
  ['backslashes', '\\\\', '\\'],
] as const) {
  test(`a text of eight million escaped ${name} beside a long number is parsed, to the digit`, () => {
    const count = 8_000_000;
    const parsed = parseJson(`{"text":"${escape.repeat(count)}","big":${BIG}}`) as { text: string; big: unknown };
    // Not assert.equal: its message would hold both texts.
    assert.ok(parsed.text === meaning.repeat(count));
    assert.equal(JSON.stringify(parsed.big), BIG);
  });
}

test('a long number keeps its digits behind and before texts that end in escapes', () => {
  for (const text of ['', '\\\\', '\\"', '\\\\\\"', '\\\\\\\\', `\\"${BIG}\\"`, `,${BIG},`]) {
    const json = `[${BIG},"${text}",${BIG},{"${text}":${BIG}},"${text}"]`;
    assert.equal(JSON.stringify(parseJson(json)), json);
  }
});
