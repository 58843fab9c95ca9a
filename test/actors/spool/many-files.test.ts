/** Very many files: each is met, and those with nothing to read hold up no other. */
import assert from 'node:assert/strict';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Roster } from '../../../src/actors/spool/roster.ts';
import { folder } from '../../support/database.ts';
import { DrainBench, goodLines, linesOf } from '../../support/spool.ts';

function empties(directory: string, count: number, state = 'active'): void {
  for (let n = 0; n < count; n++) writeFileSync(join(directory, `telemetry_${1_000 + n}.jsonl.${state}`), '');
}

test('a round goes on where the last look stopped, and meets every file once', (t) => {
  const directory = folder(t);
  empties(directory, 25);
  const roster = new Roster({ directory, onUnusable: assert.fail, portion: 10 });
  const met: string[] = [];
  for (const count of [10, 10, 5]) {
    const { entries, ended } = roster.next(false);
    assert.equal(entries.length, count);
    assert.equal(ended !== undefined, count === 5);
    met.push(...entries.map(({ raw }) => raw));
  }
  assert.deepEqual(met.sort(), readdirSync(directory).sort());
});

test('a quiet file is looked at by turns only, and at once where it is known to have changed', (t) => {
  const directory = folder(t);
  empties(directory, 20);
  const roster = new Roster({ directory, onUnusable: assert.fail, quietARound: 5 });
  for (const entry of roster.next(false).entries) roster.isQuiet(entry);
  const met = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const { entries, ended } = roster.next(false);
    assert.deepEqual([entries.length, ended?.size], [5, 20]);
    for (const entry of entries) {
      met.add(entry.raw);
      roster.isQuiet(entry);
    }
  }
  assert.equal(met.size, 20);
  assert.deepEqual(
    roster.named(['telemetry_1007.jsonl.active', 'notes.txt']).map(({ raw }) => raw),
    ['telemetry_1007.jsonl.active'],
  );
});

for (const state of ['active', 'ready']) {
  test(`a good file beside a long one and very many empty ${state} files waits for a few turns only`, (t) => {
    const bench = new DrainBench(t, { portion: 100, batchLines: 1 });
    empties(bench.directory, 1_000, state);
    bench.write('a.jsonl.active', linesOf(...goodLines(500)));
    bench.pass();
    bench.append('a.jsonl.active', linesOf(...goodLines(500)));
    const [good = ''] = goodLines(1);
    bench.write('zzz.jsonl.active', linesOf(good));
    bench.now += 1_001;
    let steps = 0;
    while (!bench.lines.includes(good) && steps < 40) steps += bench.step() ? 1 : 0;
    assert.ok(steps <= 20, `${steps} turns`);
  });
}

test('a hint of a change brings a file its turn before the directory has been gone through', (t) => {
  const bench = new DrainBench(t, { portion: 10 });
  empties(bench.directory, 100);
  bench.pass();
  const [good = ''] = goodLines(1);
  bench.write('zzz.jsonl.active', linesOf(good));
  assert.equal(bench.drain.next(['zzz.jsonl.active']).batch?.name, 'zzz');
});

test('where there is no room for more files, one with something to read has it before those without', (t) => {
  const bench = new DrainBench(t, { maxTails: 3 });
  const lines = goodLines(20);
  for (const [n, line] of lines.entries()) {
    bench.write(`f${n}.jsonl.active`, linesOf(line));
    bench.pass(1_000);
  }
  const more = goodLines(20);
  for (const [n, line] of more.entries()) bench.append(`f${n}.jsonl.active`, linesOf(line));
  for (let pass = 0; pass < 20; pass++) bench.pass(1_000);
  assert.deepEqual([...bench.lines].sort(), [...lines, ...more].sort());
  assert.equal(bench.said(/anew/).length, 0);
});

test('each of many files with a line has its turn, and so does one of many lines beside them', (t) => {
  const bench = new DrainBench(t, { portion: 50, batchLines: 10 });
  const lines = goodLines(200);
  for (const [n, line] of lines.entries()) bench.write(`f${n}.jsonl.active`, linesOf(line));
  bench.write('long.jsonl.active', linesOf(...goodLines(1_000)));
  for (let step = 0; step < 250; step++) bench.step();
  const names = bench.batches.map(({ name }) => name);
  assert.equal(new Set(names).size, 201);
  assert.ok(names.filter((name) => name === 'long').length > 1);
  bench.pass();
  assert.equal(bench.lines.length, 1_200);
});

test('files that are done with are removed in the same rounds, however many they are', (t) => {
  const bench = new DrainBench(t, { portion: 10 });
  empties(bench.directory, 50, 'synced');
  bench.now = Date.now() + 8 * 24 * 3_600_000;
  bench.pass();
  assert.deepEqual(readdirSync(bench.directory), []);
});

test('a name that is no UTF-8 is read, kept apart from what looks like it, and its rejections stand beside it', (t) => {
  const bench = new DrainBench(t);
  const bytes = (text: string): Buffer =>
    Buffer.concat([Buffer.from(`${bench.directory}/`), Buffer.from(text, 'latin1')]);
  const names = ['n\xff', 'n\xfe', 'n%ff', 'n\xc3\xa9', '50%\xff', '\xff\n'];
  const lines = goodLines(names.length);
  for (const [n, name] of names.entries()) writeFileSync(bytes(`${name}.jsonl.ready`), linesOf(lines[n] ?? '', 'bad'));
  bench.pass();
  assert.deepEqual([...bench.lines].sort(), [...lines].sort());
  assert.deepEqual(
    bench.batches.map(({ name }) => name).sort(),
    ['/50%25%ff', '/n%fe', '/n%ff', '/%ff%0a', 'n%ff', 'né'].sort(),
  );
  bench.restart();
  for (let pass = 0; pass < 4; pass++) bench.pass(1_000);
  assert.equal(bench.lines.length, names.length);
  assert.deepEqual(
    readdirSync(bench.directory, { encoding: 'latin1' }).sort(),
    names.flatMap((name) => [`${name}.jsonl.rejected`, `${name}.jsonl.synced`]).sort(),
  );
  renameSync(bytes('n\xff.jsonl.synced'), bytes('n\xff.jsonl.ready'));
  assert.equal(bench.said(/cannot/).length, 0);
});
