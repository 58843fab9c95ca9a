import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationText, type Run } from '../../src/cli/runs/columns.ts';
import { itemsOf } from '../../src/cli/runs/items.ts';
import { Table } from '../../src/cli/runs/table.ts';
import { cut, padded, visible, visibleJson, widthOf } from '../../src/cli/runs/text.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { PassThrough } from 'node:stream';

const anyText = fc.string({ unit: 'binary' });

test('text that is shown has no control character, no change of direction and no half character', () => {
  fc.assert(
    fc.property(
      fc.oneof(anyText, fc.string({ unit: fc.constantFrom('\u001b', '\u009b', '\u202e', '\n', '\ud800', 'a') })),
      (text) => {
        assert.doesNotMatch(visible(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u);
        const json = visibleJson(JSON.stringify(text));
        assert.equal(JSON.parse(json), text);
        assert.doesNotMatch(json, /[\u0000-\u001f\u007f-\u009f]/);
      },
    ),
  );
});

test('text that is cut is no wider than it may be, and what fits is whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, columns) => {
      const short = cut(text, columns);
      assert.ok(widthOf(short) <= columns);
      if (widthOf(text) <= columns) assert.equal(short, text);
      else if (columns > 0) assert.ok(short.endsWith('…'));
      assert.ok(widthOf(padded(short, columns)) === columns);
    }),
  );
  assert.deepEqual([widthOf('日本'), widthOf('e\u0301'), widthOf('ü'), cut('日本語', 5)], [4, 1, 1, '日本…']);
});

test('the items of an array are its own bytes, whatever stands in them', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(anyText, fc.jsonValue(), { maxKeys: 4 }), { maxLength: 6 }), (objects) => {
      const texts = objects.map((object) => JSON.stringify(object));
      const items = [...itemsOf(Buffer.from(`[${texts.join(',')}]`))].map((bytes) => Buffer.from(bytes).toString());
      assert.deepEqual(
        items,
        texts.map((text) => Buffer.from(text).toString()),
      );
    }),
  );
});

test('durations are worded by their size', () => {
  const words = [0, 999, 1_000, 59_999, 60_000, 200_000, 3_600_000, 3_900_000, 360_000_000].map(durationText);
  assert.deepEqual(words, [
    '0 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 m 00 s',
    '3 m 20 s',
    '1 h 00 m',
    '1 h 05 m',
    '100 h 00 m',
  ]);
});

test('on a terminal no line of a table is wider than it, and a status has its colour', () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 24 });
  const terminal = new Terminal({ environment: {}, stdout, stderr: new PassThrough() });
  const columns = ['name', 'status', 'text'].map((head) => ({
    head,
    cell: (run: Run) => run[head] as string,
    most: 60,
  }));
  const shown = new Table(columns, terminal).linesOf([
    { name: '日本語', status: 'failure', text: 'x'.repeat(100) },
    { name: 'a', status: 'success', text: 'short' },
  ]);
  assert.match(shown.join(), /\u001b\[31mfailure/);
  const lines = shown.map((line) => line.replaceAll(/\u001b\[\d+m/g, '').trimEnd());
  assert.deepEqual(lines, ['name    status   text', '日本語  failure  xxxxxx…', 'a       success  short']);
  assert.ok(lines.every((line) => widthOf(line) <= 24));
});
