import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Tail } from '../../../src/cli/run/tail.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
const text = fc.string({ unit: 'grapheme', maxLength: 60 });

function tailOf(size: number, chunks: readonly Uint8Array[]): string {
  const tail = new Tail(size);
  for (const chunk of chunks) tail.push(chunk);
  return tail.text;
}

test('what is kept does not depend on the pieces in which it came', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 50 }), (chunks, size) => {
      assert.equal(tailOf(size, chunks), tailOf(size, [Buffer.concat(chunks)]));
    }),
  );
});

test('of text the longest end of whole characters that fits is kept, and all where it fits', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 4, max: 50 }), (given, size) => {
      const characters = Array.from(given);
      while (Buffer.byteLength(characters.join('')) > size) characters.shift();
      assert.equal(tailOf(size, [Buffer.from(given)]), characters.join(''));
    }),
  );
});

test('bytes that are no text are replaced, never dropped from the middle', () => {
  assert.equal(tailOf(8, [Buffer.from([0x61, 0xff, 0xfe, 0x62])]), 'a\uFFFD\uFFFDb');
  assert.equal(tailOf(4, [Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80])]), '\uFFFD', 'at most three are cut off');
});
