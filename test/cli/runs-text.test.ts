import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chosenColumns, durationText, type Run, USUAL } from '../../src/cli/runs/columns.ts';
import { itemsOf } from '../../src/cli/runs/items.ts';
import { Table } from '../../src/cli/runs/table.ts';
import { cut, padded, visible, widthOf } from '../../src/cli/runs/text.ts';
import { visibleJson } from '../../src/run/visible.ts';
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

const terminalOf = (columns: number): Terminal =>
  new Terminal({
    environment: { NO_COLOR: '1' },
    stdout: Object.assign(new PassThrough(), { isTTY: true, columns }),
    stderr: new PassThrough(),
  });

const RUN: Run = {
  created_at: '2026-01-10T12:00:00.000000+00:00',
  agent_name: 'translator-of-posts',
  job_type: 'translate_posts',
  status: 'failure',
  duration_ms: 200_000,
  items_succeeded: 3,
  items_failed: 14,
  run_id: '20260110T120000Z-translator-of-posts-0123abcd',
  error_summary: 'The service answered 500 and then went away without a word to anybody',
};

/** The heads of the columns, and the cells of the one run, on a terminal of so many columns. */
function shownOn(columns: number, run: Run = RUN): { heads: string[]; line: string } {
  const [head = '', line = ''] = new Table(USUAL, terminalOf(columns)).linesOf([run]);
  assert.ok(widthOf(head) <= columns && widthOf(line) <= columns, `${columns}: ${line}`);
  return { heads: head.split(/ +/), line };
}

test('on a narrow terminal ok/failed, duration and job go first, and the run_id stays whole', () => {
  const all = ['created_at', 'agent', 'job', 'status', 'duration', 'ok/failed', 'run_id', 'error'];
  const without = (...gone: string[]): string[] => all.filter((name) => !gone.includes(name));
  const seen = new Set<string>();
  for (let columns = 200; columns >= 76; columns--) {
    const { heads, line } = shownOn(columns);
    seen.add(heads.join());
    assert.ok(line.includes(String(RUN.run_id)), `${columns}: ${line}`);
    assert.ok(line.includes('failure'), line);
    assert.match(line, /(^| )transl/);
    assert.match(line, / The s/);
  }
  assert.deepEqual(
    [...seen],
    [
      all,
      without('ok/failed'),
      without('ok/failed', 'duration'),
      without('ok/failed', 'duration', 'job'),
      without('ok/failed', 'duration', 'job', 'created_at'),
    ].map((heads) => heads.join()),
  );
  assert.equal(shownOn(200).line.endsWith('without a word …'), true, 'cut to what a column takes at most');
  assert.deepEqual(shownOn(80).heads, ['agent', 'status', 'run_id', 'error']);
  // What is short keeps its columns.
  assert.deepEqual(
    shownOn(80, { ...RUN, agent_name: 'a', job_type: 'b', run_id: 'r-1', error_summary: null }).heads,
    all,
  );
});

test('of columns that were chosen none goes; others are cut before what names a run', () => {
  const columns = chosenColumns('agent_name,run_id,error_summary');
  const lines = (width: number): string[] => new Table(columns, terminalOf(width)).linesOf([RUN]);
  for (let width = 100; width >= 60; width--) {
    const [head = '', line = ''] = lines(width);
    assert.deepEqual(head.split(/ +/).length, 3, head);
    assert.ok(line.includes(String(RUN.run_id)) && widthOf(line) <= width, line);
  }
  assert.equal(widthOf(lines(30)[1] ?? ''), 30);
});

test('later runs keep to the widths of the first, and a wider run_id is not cut for them', () => {
  const table = new Table(USUAL, terminalOf(80));
  table.linesOf([RUN]);
  const [line = ''] = table.linesOf([{ ...RUN, agent_name: 'x'.repeat(40), run_id: `${String(RUN.run_id)}-2` }]);
  assert.ok(line.includes(`${String(RUN.run_id)}-2`) && widthOf(line) <= 80, line);
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
