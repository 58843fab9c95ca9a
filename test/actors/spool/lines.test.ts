import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type Line, type LineBounds, type Place, readLines } from '../../../src/actors/spool/lines.ts';
import { folder } from '../../support/database.ts';

const BOUNDS = { maxLines: 100, maxBytes: 1024 * 1024, maxLineBytes: 1024 * 1024 };
const START: Place = { position: 0, scanned: 0 };

function opened(t: TestContext, content: string | Uint8Array): { descriptor: number; end: number } {
  const path = join(folder(t), 'file');
  writeFileSync(path, content);
  const descriptor = openSync(path, 'r');
  t.after(() => closeSync(descriptor));
  return { descriptor, end: Buffer.byteLength(content) };
}

const textOf = ({ bytes }: Line): string => Buffer.from(bytes).toString();

function readAll(descriptor: number, bounds: LineBounds): { lines: Line[]; place: Place; calls: number } {
  const all: Line[] = [];
  let place = START;
  for (let calls = 1; ; calls++) {
    const found = readLines(descriptor, place, bounds);
    all.push(...found.lines);
    const moved = found.place.position > place.position || found.place.scanned > place.scanned;
    place = found.place;
    if (!moved || place.scanned >= bounds.end) return { lines: all, place, calls };
  }
}

test('complete lines come with their places, and what has no end yet does not', (t) => {
  const { descriptor, end } = opened(t, 'one\n\nthree ü\nfour');
  const { lines, place } = readLines(descriptor, START, { ...BOUNDS, end });
  assert.deepEqual(lines.map(textOf), ['one', '', 'three ü']);
  assert.deepEqual(
    lines.map(({ offset, next }) => [offset, next]),
    [
      [0, 4],
      [4, 5],
      [5, 14],
    ],
  );
  assert.deepEqual(place, { position: 14, scanned: 18 });
});

test('the end of a file that is complete ends its last line', (t) => {
  const { descriptor, end } = opened(t, 'one\ntwo');
  const { lines, place } = readLines(descriptor, START, { ...BOUNDS, end, torn: true });
  assert.deepEqual(lines.map(textOf), ['one', 'two']);
  assert.deepEqual(place, { position: 7, scanned: 7 });
});

test('nothing behind the bound is read, though it is in the file', (t) => {
  const { descriptor } = opened(t, 'one\ntwo\nthree\n');
  const { lines, place } = readLines(descriptor, START, { ...BOUNDS, end: 6 });
  assert.deepEqual(lines.map(textOf), ['one']);
  assert.deepEqual(place, { position: 4, scanned: 6 });
});

test('a call ends with its last line or its last byte, and the next goes on there', (t) => {
  const { descriptor, end } = opened(t, 'aaaa\nbbbb\ncccc\ndddd\n');
  const byLines = readLines(descriptor, START, { ...BOUNDS, end, maxLines: 3 });
  assert.deepEqual(byLines.lines.map(textOf), ['aaaa', 'bbbb', 'cccc']);
  const byBytes = readLines(descriptor, START, { ...BOUNDS, end, maxBytes: 5 });
  assert.deepEqual(byBytes.lines.map(textOf), ['aaaa', 'bbbb']);
  const rest = readLines(descriptor, byBytes.place, { ...BOUNDS, end });
  assert.deepEqual(rest.lines.map(textOf), ['cccc', 'dddd']);
});

test('a line that is longer than all a call may hold comes all the same, while it is not too long', (t) => {
  const long = 'x'.repeat(300_000);
  const { descriptor, end } = opened(t, `${long}\nshort\n`);
  const { lines } = readLines(descriptor, START, { ...BOUNDS, end, maxBytes: 10 });
  assert.deepEqual(lines.map(textOf), [long]);
});

test('an overlong line is its beginning and its length, and the lines around it are there', (t) => {
  const length = 40 * 1024 * 1024;
  const { descriptor, end } = opened(
    t,
    Buffer.concat([Buffer.from('a\n'), Buffer.alloc(length, 'x'), Buffer.from('\nb\n')]),
  );
  const { lines, place, calls } = readAll(descriptor, { ...BOUNDS, maxLineBytes: 1_000, end });
  assert.deepEqual(
    lines.map((line) => [line.offset, line.length, line.bytes.length]),
    [
      [0, 1, 1],
      [2, length, 64 * 1024],
      [length + 3, 1, 1],
    ],
  );
  assert.deepEqual(place, { position: end, scanned: end });
  assert.ok(calls > 1, 'it was read through in several calls, for others are waiting');
});

test('an overlong line that is torn is told once the file is complete', (t) => {
  const { descriptor, end } = opened(t, 'x'.repeat(5_000));
  const bounds = { ...BOUNDS, maxLineBytes: 1_000, end };
  const { lines, place } = readLines(descriptor, START, bounds);
  assert.deepEqual([lines, place], [[], { position: 0, scanned: 5_000 }]);
  const torn = readLines(descriptor, place, { ...bounds, torn: true });
  assert.deepEqual(
    torn.lines.map(({ offset, next, length }) => [offset, next, length]),
    [[0, 5_000, 5_000]],
  );
});

test('however calls are bounded, the lines are those of the file, once and in order', (t) => {
  const path = join(folder(t), 'file');
  const piece = fc.oneof(fc.constant('\n'), fc.string({ maxLength: 30 }), fc.constant('x'.repeat(70_000)));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom(10, 1_000, 100_000),
      (pieces, maxLines, maxBytes, maxLineBytes) => {
        const text = pieces.join('');
        writeFileSync(path, text);
        const descriptor = openSync(path, 'r');
        try {
          const end = Buffer.byteLength(text);
          const { lines } = readAll(descriptor, { end, maxLines, maxBytes, maxLineBytes });
          const expected = Buffer.from(text).toString().split('\n').slice(0, -1);
          assert.deepEqual(
            lines.map(({ length }) => length),
            expected.map((line) => Buffer.byteLength(line)),
          );
          for (const [index, line] of lines.entries())
            if (line.length <= maxLineBytes) assert.equal(textOf(line), expected[index]);
        } finally {
          closeSync(descriptor);
        }
      },
    ),
    { numRuns: 200 },
  );
});
