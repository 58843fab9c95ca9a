/** A batch that cannot be read as a whole: its items are told apart, and each is read for itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadItem, parseBatch } from '../../src/actors/body.ts';
import { Mended } from '../../src/run/mended.ts';

const MAX_RUNS = 10_000;

/** What is good of a batch, and of the rest its event_id and why. */
function read(text: string | Buffer, mended?: Mended): unknown[] {
  const { items } = parseBatch(typeof text === 'string' ? Buffer.from(text) : text, MAX_RUNS, mended);
  return items.map((item) => (item instanceof BadItem ? [item.eventId, item.reason] : item));
}

test('an item that is no JSON costs no other, and its event_id is found where it has one', () => {
  const bad = String.raw`{"metrics_json":{"event_id":"inner"},"text":"],}\"","event_id":"b\u00e4","n":1x}`;
  assert.deepEqual(read(`[{"event_id":"a"}, ${bad} ,{"event_id":"c"}]`), [
    { event_id: 'a' },
    ['bä', 'The item is not valid JSON (at position 79).'],
    { event_id: 'c' },
  ]);
  assert.deepEqual(read('[1,{"event_id":nan},"x'.concat('"]')).length, 3);
});

test('the runs of an object are told apart too, where all around them is JSON', () => {
  const { items, wrapped } = parseBatch(Buffer.from('{"a":[1],"runs":[{"n":NaN},{x}],"b":NaN}'), MAX_RUNS);
  assert.equal(wrapped, true);
  assert.deepEqual(items[0], { n: null });
  assert.ok(items[1] instanceof BadItem && items.length === 2);
});

test('an empty item is one', () => {
  const empty = [undefined, 'The item is empty. Send a JSON document.'];
  assert.deepEqual(read('[1,,2,]'), [1, empty, 2, empty]);
});

test('an item with bytes that are no UTF-8 costs no other', () => {
  const body = Buffer.concat([
    Buffer.from('[{"event_id":"ä"},{"event_id":"b","host":"'),
    Buffer.of(0xff),
    Buffer.from('"},3]'),
  ]);
  assert.deepEqual(read(body), [
    { event_id: 'ä' },
    ['b', 'The item is not valid UTF-8. Send JSON encoded as UTF-8.'],
    3,
  ]);
});

test('an item that holds too much costs no other; where all do together, the batch is too large', () => {
  const much = (count: number): string => `{"event_id":"b","m":[${'1e999,'.repeat(count - 1)}1e999]}`;
  const [first, bad, last] = parseBatch(Buffer.from(`[1,${much(50_001)},3]`), MAX_RUNS).items;
  // Not compared as a whole: where the bound is gone, the message would take minutes.
  assert.ok(bad instanceof BadItem);
  const reason = 'The item holds more than 50000 numbers beyond a double. Send it in parts.';
  assert.deepEqual([first, bad.eventId, bad.reason, last], [1, 'b', reason, 3]);
  const message = 'The body holds more than 50000 numbers beyond a double. Send it in parts.';
  assert.throws(() => read(`[${much(30_000)},${much(30_000)}]`), { code: 'too_large', message });
});

for (const text of [
  '[{"a":1}',
  '[{"a":1},x',
  '[{"a":1}],x]',
  '[{"a":[1},2]',
  '{"runs":[x]',
  '{"runs":[x],y}',
  '{"runs":x}',
  '[x,"]',
  'x',
  '[x]]',
]) {
  test(`the items of ${text} cannot be told apart, and the body is refused`, () => {
    assert.throws(() => read(text), { code: 'invalid', message: /^body: The body is not valid JSON/ });
  });
}

test('more items than are taken are too large, also where one is bad', () => {
  const body = Buffer.from(`[${'{x},'.repeat(MAX_RUNS)}1]`);
  assert.throws(() => parseBatch(body, MAX_RUNS), { code: 'too_large', message: /^The batch has 10001 runs/ });
});

test('what was mended is counted once, however often the text was looked at', () => {
  const mended = new Mended();
  read('[{"a":NaN},{x},{"a":[NaN,Infinity]}]', mended);
  mended.keep();
  assert.deepEqual(mended.counts, { not_a_number: 3 });
});

test('among any items, the bad ones are told from the good ones, which mean what they meant', () => {
  const good = fc.json({ maxDepth: 3 });
  const bad = fc.constantFrom('{x}', '[1,,2]', '"\t"', '{"a":{"b":tru}}', '01', '["a" "b"]');
  fc.assert(
    fc.property(fc.array(fc.oneof(good, bad), { minLength: 1 }), (items) => {
      const expected = items.map((item) => {
        try {
          return JSON.stringify(JSON.parse(item));
        } catch {
          return 'bad';
        }
      });
      const found = parseBatch(Buffer.from(`[${items.join(' ,')}]`), MAX_RUNS).items;
      const seen = found.map((item) =>
        item instanceof BadItem ? 'bad' : JSON.stringify(JSON.parse(JSON.stringify(item))),
      );
      assert.deepEqual(seen, expected);
    }),
  );
});
