/** Hostile JSON costs no more than its size: every loop and regular expression over it, at 2^10 to 2^18 characters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBatch, parseBody } from '../../src/actors/body.ts';
import { acceptsRun, explainRun } from '../../src/run/check.ts';
import { parseJson } from '../../src/run.ts';
import { storedJson } from '../../src/run/json.ts';
import { TooMuchJson } from '../../src/run/json-bounds.ts';
import { growsLinearly } from '../support/linear.ts';

const list = (one: string) => (size: number) => `[${one.repeat(size / one.length)}1]`;

/** About so many characters of each. */
const SHAPES: Readonly<Record<string, (size: number) => string>> = {
  'numbers beyond a double': list('1e999,'),
  'words for numbers': list('NaN,'),
  'words within strings': list('"-Infinity",'),
  'strings beside words': list('"",NaN,'),
  backslashes: (size) => `[NaN,"${'\\'.repeat(size)}"]`,
  'backslashes without an end': (size) => `[1e999,"${'\\'.repeat(size + 1)}"`,
  'escaped quotes': (size) => `[NaN,"${String.raw`\"`.repeat(size / 2)}",x]`,
  quotes: (size) => `[NaN,${'"'.repeat(size)}`,
  'halves of characters': (size) => `{"a":"${String.raw`\ud83d\\`.repeat(size / 8)}"}`,
  spaces: (size) => `[1e999,${' '.repeat(size)},1e999`,
  'numbers in a text behind spaces': (size) => `["${', 1234567890123456   '.repeat(size / 20)}"]`,
  digits: (size) => `[${'9'.repeat(size)}`,
  points: (size) => `[${'1.'.repeat(size / 2)}`,
  minuses: (size) => `[1e999,${'-'.repeat(size)}`,
  'open brackets': (size) => '['.repeat(size),
  'nested objects': (size) => '{"a":'.repeat(size / 5),
  commas: (size) => `[${','.repeat(size)}]`,
  'bad items': list('{"event_id":"a",x},'),
  'event_ids that are none': list('{"event_id"  "a",x},'),
  'arrays called runs': (size) => `{${'"runs":[x],'.repeat(size / 11)}"runs":[1]}`,
  'the same name': (size) => `{${'"a":1,'.repeat(size / 6)}"a":NaN}`,
};

for (const [name, make] of Object.entries(SHAPES)) {
  test(`${name} cost no more than their size, as a body, a batch and a field`, () => {
    growsLinearly((size) => Buffer.from(make(size)), parseBody, 'parseBody');
    growsLinearly(
      (size) => Buffer.from(make(size)),
      (bytes) => parseBatch(bytes, 10_000),
      'parseBatch',
    );
    const field = (metrics_json: string): unknown => {
      const run = {
        event_id: 'a',
        run_id: 'a',
        agent_name: 'a',
        job_type: 'a',
        start_time: '2026-01-10T12:00:00Z',
        metrics_json,
      };
      return acceptsRun(run) ? storedJson(metrics_json) : explainRun(run);
    };
    growsLinearly((size) => `{"a":${make(size)}}`, field, 'a JSON field');
  });
}

test('the bounds on what one text holds are those that the message says, before anything is parsed', () => {
  const names = (count: number): string => `{${'"a":1,'.repeat(count - 1)}"a":1}`;
  for (const [what, bound, make] of [
    ['numbers beyond a double', 50_000, (count: number) => `[${'1e999,'.repeat(count - 1)}1e999]`],
    ['names', 1_000_000, names],
    ['values', 2_000_000, (count: number) => `[${'1,'.repeat(count - 1)}1]`],
  ] as const) {
    assert.ok(parseJson(make(bound)));
    assert.throws(() => parseJson(`${make(bound + 1)} x`), TooMuchJson);
    const whole = Buffer.from(make(bound + 1));
    const message = `The body holds more than ${bound} ${what}. Send it in parts.`;
    assert.throws(() => parseBody(whole), { code: 'too_large', message });
  }
});
