import assert from 'node:assert/strict';
import { existsSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { aRecord } from '../../support/database.ts';
import { DrainBench, goodLines, HOUR_MS, linesOf, rejectedIn } from '../../support/spool.ts';

test('a complete file is stored in batches, then stands still, then is synced', (t) => {
  const bench = new DrainBench(t);
  const lines = goodLines(250);
  bench.write('a.jsonl.ready', linesOf(...lines));
  bench.pass();
  assert.deepEqual(bench.lines, lines);
  assert.deepEqual(
    bench.batches.map((batch) => batch.lines),
    [100, 100, 50],
  );
  bench.pass(999);
  assert.deepEqual(readdirSync(bench.directory), ['a.jsonl.ready']);
  bench.pass(1);
  assert.deepEqual(readdirSync(bench.directory), ['a.jsonl.synced']);
});

test('the position of a file that is done with is forgotten, at the second look without it', (t) => {
  const bench = new DrainBench(t);
  bench.write('a.jsonl.ready', linesOf(...goodLines(1)));
  for (let pass = 0; pass < 4; pass++) bench.pass(1_000);
  assert.deepEqual(
    bench.gone.map(({ name }) => name),
    ['a'],
  );
});

test('the lines of a living client are left to it for three seconds, and those of others are not', (t) => {
  const bench = new DrainBench(t);
  const [first = '', second = '', active = ''] = goodLines(3);
  bench.write('a.jsonl.live', linesOf(first));
  bench.write('b.jsonl.active', linesOf(active));
  assert.equal(bench.pass().status.pendingBytes, first.length + 1);
  assert.deepEqual(bench.lines, [active]);
  assert.ok(bench.drain.wakeInMs() <= 3_000);
  bench.now += 2_000;
  bench.append('a.jsonl.live', linesOf(second));
  bench.pass();
  bench.pass(1_000);
  assert.deepEqual(bench.lines, [active, first]);
  bench.pass(2_000);
  assert.deepEqual(bench.lines, [active, first, second]);
});

test('a file that a client left behind before the start is stored at once', (t) => {
  const bench = new DrainBench(t);
  const lines = goodLines(3);
  bench.write('a.jsonl.live', linesOf(...lines));
  bench.touch('a.jsonl.live', bench.now - 3_000);
  bench.pass();
  assert.deepEqual(bench.lines, lines);
});

test('a torn last line of a growing file waits until it is whole', (t) => {
  const bench = new DrainBench(t);
  const [line = ''] = goodLines(1);
  bench.write('a.jsonl.active', line.slice(0, 20));
  for (let pass = 0; pass < 5; pass++) bench.pass(10_000);
  assert.deepEqual(bench.lines, []);
  bench.append('a.jsonl.active', `${line.slice(20)}\n`);
  bench.pass();
  assert.deepEqual(bench.lines, [line]);
});

test('a file goes on where it was when it is renamed', (t) => {
  const bench = new DrainBench(t);
  const [first = '', second = ''] = goodLines(2);
  bench.write('a.jsonl.active', linesOf(first));
  bench.pass();
  bench.append('a.jsonl.active', linesOf(second));
  renameSync(bench.path('a.jsonl.active'), bench.path('a.jsonl.ready'));
  bench.pass(1_000);
  assert.deepEqual(bench.lines, [first, second]);
  bench.pass(1_000);
  bench.pass(1_000);
  assert.deepEqual(readdirSync(bench.directory), ['a.jsonl.synced']);
});

test('after a restart it goes on behind what was stored', (t) => {
  const bench = new DrainBench(t, { batchLines: 2 });
  const lines = goodLines(5);
  bench.write('a.jsonl.ready', linesOf(...lines));
  bench.step();
  bench.ask();
  bench.restart();
  bench.pass();
  assert.deepEqual(bench.lines, lines);
});

test('what can never be stored is set aside with its reason, and the lines around it are stored', (t) => {
  const bench = new DrainBench(t, { maxRunBytes: 2_000 });
  const [first = '', second = '', third = ''] = goodLines(3);
  const long = JSON.stringify(aRecord({ output_summary: 'x'.repeat(2_000) }));
  const bad = [first, 'not JSON', '', '  \r', '{"event_id":"half"}', second, '[1]', long, third];
  bench.write('a.jsonl.ready', linesOf(...bad));
  bench.append('a.jsonl.ready', Buffer.from([0xff, 0x7b, 0x0a]));
  bench.pass();
  assert.deepEqual(bench.lines, [first, second, third]);
  const rejected = rejectedIn(bench.directory, 'a');
  assert.deepEqual(
    rejected.map(({ line }) => line),
    ['not JSON', '{"event_id":"half"}', '[1]', long, '\uFFFD{'],
  );
  const reasons = [
    /not valid JSON/,
    /run_id: Field required; /,
    /a JSON object/,
    /at most 2000 are/,
    /not valid UTF-8/,
  ];
  for (const [index, reason] of reasons.entries()) assert.match(rejected[index]?.reason ?? '', reason);
  assert.equal(rejected[0]?.offset, first.length + 1);
  assert.equal(bench.rejected, 5);
  assert.deepEqual(
    bench.said(/rejected/).map(({ fields }) => [fields.file, fields.lines]),
    [['a', 5]],
  );
});

test('the torn end of a complete file is rejected once it stands still, unless it is a whole record', (t) => {
  const bench = new DrainBench(t);
  const [first = '', second = '', third = ''] = goodLines(3);
  bench.write('torn.jsonl.ready', linesOf(first) + second.slice(0, 30));
  bench.write('whole.jsonl.ready', third);
  bench.pass();
  assert.deepEqual(bench.lines, [first]);
  for (let pass = 0; pass < 4; pass++) bench.pass(1_000);
  assert.deepEqual(bench.lines, [first, third]);
  const [{ line, reason } = { line: '', reason: '' }, ...others] = rejectedIn(bench.directory, 'torn');
  assert.deepEqual([line, others], [second.slice(0, 30), []]);
  assert.match(reason, /^The line is torn/);
  assert.deepEqual(readdirSync(bench.directory).sort(), [
    'torn.jsonl.rejected',
    'torn.jsonl.synced',
    'whole.jsonl.synced',
  ]);
});

test('a file that nobody has touched for long is taken for complete, its torn end too', (t) => {
  const bench = new DrainBench(t);
  const [line = ''] = goodLines(1);
  bench.write('a.jsonl.live', `${linesOf(line)}{"tor`);
  bench.write('b.jsonl.active', linesOf(line));
  bench.pass(24 * HOUR_MS);
  bench.pass(1);
  for (let pass = 0; pass < 5; pass++) bench.pass(1_000);
  assert.deepEqual(readdirSync(bench.directory).sort(), ['a.jsonl.rejected', 'a.jsonl.synced', 'b.jsonl.active']);
  assert.deepEqual(bench.lines, [line, line]);
});

test('files take turns, a batch each, and a new one does not wait for a long one', (t) => {
  const bench = new DrainBench(t, { batchLines: 1 });
  bench.write('a.jsonl.ready', linesOf(...goodLines(5)));
  bench.write('b.jsonl.ready', linesOf(...goodLines(2)));
  for (let step = 0; step < 4; step++) bench.step();
  bench.write('c.jsonl.ready', linesOf(...goodLines(1)));
  bench.pass(1_001);
  assert.deepEqual(
    bench.batches.map(({ name }) => name),
    ['a', 'b', 'a', 'b', 'a', 'c', 'a', 'a'],
  );
});

test('a batch that is refused is halved until the line is found, and that line alone is rejected', (t) => {
  const bench = new DrainBench(t);
  const lines = goodLines(100);
  const bad = [lines[3], lines[4], lines[77]];
  bench.failure = ({ body }) =>
    bad.some((line) => Buffer.from(body).includes(line ?? '')) ? 'the writer says no' : undefined;
  bench.write('a.jsonl.ready', linesOf(...lines));
  bench.pass();
  assert.deepEqual(
    bench.lines,
    lines.filter((line) => !bad.includes(line)),
  );
  assert.deepEqual(
    rejectedIn(bench.directory, 'a').map(({ line, reason }) => [line, reason]),
    bad.map((line) => [line, 'the writer says no']),
  );
  assert.ok(bench.batches.length < 60, `${bench.batches.length} batches`);
});

test('a writer that can store nothing at all costs no more than a line, and is not asked without end', (t) => {
  const bench = new DrainBench(t);
  bench.write('a.jsonl.ready', linesOf(...goodLines(100)));
  bench.failure = () => 'no such table';
  bench.pass();
  assert.equal(bench.rejected, 1);
  assert.equal(bench.said(/cannot be stored/).length, 1);
  bench.failure = undefined;
  bench.pass(30_000);
  assert.equal(bench.lines.length, 99);
});

test('the position that the writer names is where it goes on, whatever was thought', (t) => {
  const bench = new DrainBench(t, { batchLines: 2 });
  const lines = goodLines(4);
  bench.write('a.jsonl.ready', linesOf(...lines));
  const { batch } = bench.ask();
  // Told that it is stored, though it is not; the next one does not follow on what the writer has.
  bench.drain.settle({ ok: true, position: batch?.to ?? 0 });
  bench.pass();
  assert.deepEqual(bench.lines, lines);
  assert.deepEqual(
    bench.batches.map(({ expected }) => expected > 0),
    [false, true, false, true],
  );
});

test('a file that is cut short is read again from its beginning, and said so', (t) => {
  const bench = new DrainBench(t);
  const [first = '', second = '', third = ''] = goodLines(3);
  bench.write('a.jsonl.active', linesOf(first, second));
  bench.pass();
  bench.write('a.jsonl.active', linesOf(third));
  bench.pass(1_000);
  assert.deepEqual(bench.lines, [first, second, third]);
  assert.equal(bench.said(/cut short/).length, 1);
});

test('another file of the same name begins at its beginning', (t) => {
  const bench = new DrainBench(t);
  const lines = goodLines(2);
  bench.write('a.jsonl.active', linesOf(...lines));
  bench.pass();
  const [other = ''] = goodLines(1);
  bench.write('other', linesOf(other));
  renameSync(bench.path('other'), bench.path('a.jsonl.active'));
  bench.pass(1_000);
  assert.deepEqual(bench.lines, [...lines, other]);
});

test('a file that its client removes is let go without a word', (t) => {
  const bench = new DrainBench(t, { batchLines: 1 });
  bench.write('a.jsonl.active', linesOf(...goodLines(3)));
  bench.write('b.jsonl.active', linesOf(...goodLines(1)));
  bench.step();
  rmSync(bench.path('a.jsonl.active'));
  rmSync(bench.path('b.jsonl.active'));
  for (let pass = 0; pass < 3; pass++) bench.pass(1_000);
  assert.deepEqual([bench.lines.length, bench.notes, bench.gone.length], [1, [], 1]);
});

test('nothing is overwritten: a name that is taken is left, with one warning', (t) => {
  const bench = new DrainBench(t);
  writeFileSync(bench.path('a.jsonl.synced'), 'earlier');
  bench.write('a.jsonl.ready', linesOf(...goodLines(1)));
  for (let pass = 0; pass < 5; pass++) bench.pass(30_000);
  assert.deepEqual(readdirSync(bench.directory), ['a.jsonl.ready', 'a.jsonl.synced']);
  assert.equal(bench.said(/cannot be renamed/).length, 1);
});

test('a synced file is removed a week after it became that, however old its lines are', (t) => {
  const bench = new DrainBench(t);
  bench.now = Date.now();
  bench.write('a.jsonl.synced', 'x');
  bench.touch('a.jsonl.synced', 0);
  bench.pass();
  bench.pass(7 * 24 * HOUR_MS - 60_000);
  assert.equal(existsSync(bench.path('a.jsonl.synced')), true);
  bench.pass(HOUR_MS + 1);
  assert.equal(existsSync(bench.path('a.jsonl.synced')), false);
});

test('a directory that is missing is made, and one that comes later is found', (t) => {
  const bench = new DrainBench(t);
  rmSync(bench.directory, { recursive: true });
  for (let pass = 0; pass < 3; pass++) bench.pass(60_000);
  assert.equal(bench.said(/directory cannot be read/).length, 1);
  bench.restart();
  assert.equal(existsSync(bench.directory), true);
  bench.write('a.jsonl.active', linesOf(...goodLines(1)));
  bench.pass(60_000);
  assert.equal(bench.lines.length, 1);
});

test('a file under two names is read once, and other files are not touched', (t) => {
  const bench = new DrainBench(t);
  bench.write('a.jsonl.active', linesOf(...goodLines(2)));
  linkSync(bench.path('a.jsonl.active'), bench.path('a.jsonl.ready'));
  bench.write('notes.txt', linesOf(...goodLines(1)));
  bench.write('b.jsonl', linesOf(...goodLines(1)));
  bench.pass();
  assert.equal(bench.lines.length, 2);
});
