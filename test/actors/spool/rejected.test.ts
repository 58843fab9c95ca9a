import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync as linkTo,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Line } from '../../../src/actors/spool/lines.ts';
import { RejectedFiles, type Rejection } from '../../../src/actors/spool/rejected.ts';
import { folder } from '../../support/database.ts';
import { DrainBench, goodLines, linesOf, rejectedIn } from '../../support/spool.ts';

function rejection(offset: number, text: string, length = Buffer.byteLength(text)): Rejection {
  const line: Line = { offset, next: offset + length + 1, bytes: Buffer.from(text), length };
  return { line, reason: 'no' };
}

test('what is there already is not written again, not by a successor either', (t) => {
  const directory = folder(t);
  const first = new RejectedFiles(directory);
  assert.deepEqual(first.append('a', [rejection(0, 'x'), rejection(5, 'y')]), { written: 2 });
  assert.deepEqual(first.append('a', [rejection(0, 'x'), rejection(5, 'y')]), { written: 0 });
  const second = new RejectedFiles(directory);
  assert.deepEqual(second.append('a', [rejection(5, 'y'), rejection(9, 'z')]), { written: 1 });
  assert.deepEqual(
    rejectedIn(directory, 'a').map(({ offset, line }) => [offset, line]),
    [
      [0, 'x'],
      [5, 'y'],
      [9, 'z'],
    ],
  );
});

test('an entry that a kill left half does not spoil the next one, and is written anew', (t) => {
  const directory = folder(t);
  new RejectedFiles(directory).append('a', [rejection(0, 'x')]);
  const path = join(directory, 'a.jsonl.rejected');
  appendFileSync(path, '{"offset":5,"rea');
  assert.deepEqual(new RejectedFiles(directory).append('a', [rejection(5, 'y')]), { written: 1 });
  assert.deepEqual(readFileSync(path, 'utf8').split('\n'), [
    '{"offset":0,"reason":"no","line":"x"}',
    '{"offset":5,"rea',
    '{"offset":5,"reason":"no","line":"y"}',
    '',
  ]);
});

test('an overlong line is kept as its beginning and its length', (t) => {
  const directory = folder(t);
  new RejectedFiles(directory).append('a', [rejection(0, 'begin', 5_000)]);
  assert.deepEqual(rejectedIn(directory, 'a'), [{ offset: 0, reason: 'no', line: 'begin', length: 5_000 }]);
});

test('where rejected lines can never be written, they are logged without their text and the file goes on', (t) => {
  const bench = new DrainBench(t);
  const lines = goodLines(2);
  mkdirSync(bench.path('a.jsonl.rejected'));
  bench.write('a.jsonl.ready', linesOf(lines[0] ?? '', 'secret', lines[1] ?? ''));
  bench.pass();
  assert.deepEqual(bench.lines, lines);
  const [note, ...others] = bench.said(/cannot be written/);
  assert.equal(others.length, 0);
  assert.equal(note?.level, 'error');
  assert.match(JSON.stringify(note?.fields.lines), /^\[\{"offset":\d+,"reason":"The line is not valid JSON/);
  assert.ok(!JSON.stringify(bench.notes).includes('secret'));
});

test('while rejected lines cannot be written just now, their file waits before them and the others go on', (t) => {
  const bench = new DrainBench(t);
  const [first = '', second = '', other = ''] = goodLines(3);
  bench.write('a.jsonl.ready', linesOf(first, 'bad', second));
  bench.write('b.jsonl.ready', linesOf(other));
  // A link to nowhere: its target's folder may come.
  const missing = join(bench.directory, 'missing');
  linkTo(join(missing, 'rejected'), bench.path('a.jsonl.rejected'));
  bench.pass();
  bench.pass(5_000);
  assert.deepEqual(bench.lines, [first, other]);
  assert.equal(bench.said(/waits/).length, 1);
  assert.ok(bench.drain.wakeInMs() <= 5_000);
  mkdirSync(missing);
  bench.pass(5_000);
  assert.deepEqual(bench.lines, [first, other, second]);
  assert.equal(existsSync(join(missing, 'rejected')), true);
  rmSync(missing, { recursive: true });
});

test('the torn end of a complete file is settled within seconds though nothing happens in the directory', (t) => {
  const bench = new DrainBench(t);
  bench.write('a.jsonl.sealed', `${linesOf(...goodLines(3))}{"tor`);
  const start = bench.now;
  bench.pass();
  for (let pass = 0; pass < 10 && !existsSync(bench.path('a.jsonl.synced')); pass++) {
    bench.pass(Math.min(bench.drain.wakeInMs(), 60_000));
  }
  assert.deepEqual(readdirSync(bench.directory).sort(), ['a.jsonl.rejected', 'a.jsonl.synced']);
  assert.ok(bench.now - start < 10_000, `only after ${bench.now - start} ms`);
});
