/** A batch that is no JSON as a whole: its items are told apart, and each is read for itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadItem, parseBatch } from '../../src/actors/body.ts';
import { Mended } from '../../src/run/mended.ts';
import { growsLinearly } from '../support/linear.ts';

const MAX = 10_000;
const parse = (text: string | Buffer): ReturnType<typeof parseBatch> => parseBatch(Buffer.from(text as string), MAX);

/** What is good of a batch, and why the rest is not, with its event_id. */
function read(text: string | Buffer): unknown[] {
  return parse(text).items.map((item) => (item instanceof BadItem ? [item.eventId, item.reason] : item));
}

test('an item that is no JSON costs no other, and its event_id is found where it has one', () => {
  const bad = '{"event_id":"b","metrics_json":{"event_id":"inner","a":nan}}';
  assert.deepEqual(read(`[{"event_id":"a"}, ${bad} ,{"event_id":"c"}]`), [
    { event_id: 'a' },
    ['b', 'The item is not valid JSON.'],
    { event_id: 'c' },
  ]);
});
