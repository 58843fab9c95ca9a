/** Files that are written anew: the same name, inode and size, and other lines. */
import assert from 'node:assert/strict';
import { closeSync, openSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { aRecord } from '../../support/database.ts';
import { DrainBench, linesOf } from '../../support/spool.ts';

const FILE = 'nightly.jsonl.active';

let runs = 0;

/** A run whose line is as long as that of every other. */
function line(summary: string): string {
  const event_id = `event-${String(++runs).padStart(8, '0')}`;
  return JSON.stringify(aRecord({ event_id, run_id: event_id, output_summary: summary }));
}

const night = (count: number, summary = 'x'): string[] => Array.from({ length: count }, () => line(summary));

/** Writes over what stands there, without making the file anew. */
function overwrite(bench: DrainBench, text: string, at = 0): void {
  const descriptor = openSync(bench.path(FILE), 'r+');
  writeSync(descriptor, text, at);
  closeSync(descriptor);
}

const lacking = (bench: DrainBench, lines: readonly string[]): number => {
  const stored = new Set(bench.lines);
  return lines.filter((line) => !stored.has(line)).length;
};

for (const restarted of [false, true]) {
  const when = restarted ? 'while the service was away' : 'while it runs';
  test(`a file that is written anew each night ${when} is stored each night, whatever its length`, (t) => {
    const bench = new DrainBench(t);
    for (const count of [5, 5, 5, 5, 7, 7, 3, 3]) {
      const lines = night(count);
      bench.write(FILE, linesOf(...lines));
      if (restarted) bench.restart();
      bench.pass(1_000);
      assert.equal(lacking(bench, lines), 0);
      bench.pass(24 * 3_600_000);
    }
    assert.equal(bench.said(/written anew/).length, 6);
    assert.equal(bench.said(/cut short/).length, 1);
    assert.equal(bench.rejected, 0);
  });
}

test('a file whose bytes and time are forged to be those of before is found by its ctime', (t) => {
  const bench = new DrainBench(t);
  const [first, second] = [night(5), night(5)];
  bench.write(FILE, linesOf(...first));
  const { ino, atime, mtime } = statSync(bench.path(FILE));
  bench.pass();
  overwrite(bench, linesOf(...second));
  utimesSync(bench.path(FILE), atime, mtime);
  assert.equal(statSync(bench.path(FILE)).ino, ino);
  bench.pass(1_000);
  assert.equal(lacking(bench, second), 0);
});

for (const [what, changed] of [
  ['its beginning', 0],
  ['its middle', 500],
  ['its end', 999],
] as const) {
  test(`a large file of which only ${what} is written anew is found, also where it has grown with it`, (t) => {
    const bench = new DrainBench(t, { batchLines: 200 });
    const lines = night(1_000, 'x'.repeat(500));
    bench.write(FILE, linesOf(...lines));
    bench.pass();
    const [other = '', more = ''] = night(2, 'x'.repeat(500));
    const length = other.length + 1;
    overwrite(bench, `${other}\n`, changed * length);
    bench.append(FILE, linesOf(more));
    bench.pass(1_000);
    bench.pass(60_000);
    bench.pass(1_000);
    assert.equal(lacking(bench, [other, more]), 0);
    assert.equal(bench.said(/written anew/).length, 1);
  });
}

test('a complete file is compared before it is done with, and a file that nobody changed is read once', (t) => {
  const bench = new DrainBench(t);
  const lines = night(300, 'x'.repeat(500));
  bench.write('a.jsonl.ready', linesOf(...lines));
  bench.write('b.jsonl.ready', linesOf(...lines));
  bench.pass();
  const [other = '', more = ''] = night(2, 'x'.repeat(500));
  const descriptor = openSync(bench.path('a.jsonl.ready'), 'r+');
  writeSync(descriptor, `${other}\n`, 150 * (other.length + 1));
  closeSync(descriptor);
  bench.append('a.jsonl.ready', linesOf(more));
  for (let pass = 0; pass < 4; pass++) bench.pass(1_000);
  assert.equal(lacking(bench, [other, more]), 0);
  assert.equal(bench.lines.length, 300 + 300 + 301 + 1);
});

test('a position without a digest, of an earlier release, is read again from the beginning, once', (t) => {
  const bench = new DrainBench(t);
  const lines = night(3);
  bench.write(FILE, linesOf(...lines));
  bench.pass();
  bench.forgetDigests();
  bench.restart();
  bench.pass();
  bench.restart();
  bench.pass();
  assert.deepEqual(bench.lines, [...lines, ...lines]);
});

test('a line that was rejected is not rejected once more where its file is read again', (t) => {
  const bench = new DrainBench(t);
  bench.write(FILE, linesOf('not JSON', ...night(2)));
  bench.pass();
  const lines = night(2);
  bench.write(FILE, linesOf('not JSON', ...lines));
  bench.pass(1_000);
  assert.deepEqual([lacking(bench, lines), bench.rejected], [0, 1]);
});

test('what stands behind a line too long to be stored is compared as well', (t) => {
  const bench = new DrainBench(t, { maxRunBytes: 2_000 });
  const long = JSON.stringify(aRecord({ output_summary: 'x'.repeat(300_000) }));
  bench.write(FILE, linesOf(...night(2), long, ...night(2)));
  bench.pass();
  const lines = night(2);
  const { size } = statSync(bench.path(FILE));
  overwrite(bench, linesOf(...lines), size - linesOf(...lines).length);
  bench.pass(1_000);
  bench.pass(1_000);
  assert.equal(lacking(bench, lines), 0);
});

type Step =
  | { do: 'append' | 'rewrite' | 'replace' | 'overwrite'; lines: number; size: number }
  | { do: 'truncate'; keep: number }
  | { do: 'rename' | 'turn' | 'cut' | 'restart' }
  | { do: 'pass'; ms: number };

const size = fc.constantFrom(1, 40, 3_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('append' as const, 'rewrite' as const, 'replace' as const, 'overwrite' as const),
    lines: fc.integer({ min: 1, max: 40 }),
    size,
  }),
  fc.record({ do: fc.constant('truncate' as const), keep: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    do: fc.constantFrom('rename' as const, 'turn' as const, 'turn' as const, 'cut' as const, 'restart' as const),
  }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 500, 1_000, 61_000) }),
);

test('whatever is done to a file, every line that stood in it when it was quiet is stored', (t) => {
  const bench = new DrainBench(t, { batchLines: 7 });
  let run = 0;
  const property = fc.property(fc.array(step, { minLength: 3, maxLength: 25 }), (steps) => {
    run++;
    const file = new Scribbled(bench, `f${run}`);
    const stood = new Set<string>();
    for (const each of steps) {
      file.take(each);
      if (each.do !== 'pass' || each.ms < 61_000) continue;
      for (const line of file.lines) stood.add(line);
      // What is found to be other has its turn at the next look.
      bench.pass(1_000);
    }
    bench.pass(61_000);
    bench.pass(1_000);
    for (const line of file.lines) stood.add(line);
    assert.equal(lacking(bench, [...stood]), 0);
    assert.equal(bench.rejected, 0);
    file.remove();
  });
  fc.assert(property, { numRuns: 60 });
});

/** A file to which things are done, and the lines that should stand in it. */
class Scribbled {
  lines: string[] = [];
  readonly #bench: DrainBench;
  readonly #name: string;
  #state = 'active';

  constructor(bench: DrainBench, name: string) {
    this.#bench = bench;
    this.#name = name;
    bench.write(this.#file, '');
  }

  get #file(): string {
    return `${this.#name}.jsonl.${this.#state}`;
  }

  take(step: Step): void {
    const bench = this.#bench;
    if (step.do === 'pass') bench.pass(step.ms);
    else if (step.do === 'restart') bench.restart();
    else if (step.do === 'turn') bench.step();
    else if (step.do === 'cut') bench.stepCutOff();
    else if (step.do === 'rename') this.#rename();
    else if ('keep' in step) this.#truncate(step.keep);
    else if ('lines' in step) this.#write(step.do, night(step.lines, 'x'.repeat(step.size)));
  }

  #rename(): void {
    const from = this.#bench.path(this.#file);
    this.#state = this.#state === 'active' ? 'live' : 'active';
    renameSync(from, this.#bench.path(this.#file));
  }

  #truncate(part: number): void {
    this.lines = this.lines.slice(0, Math.floor(this.lines.length * part));
    truncateSync(this.#bench.path(this.#file), linesOf(...this.lines).length);
  }

  #write(how: 'append' | 'rewrite' | 'replace' | 'overwrite', lines: string[]): void {
    const bench = this.#bench;
    if (how === 'append') {
      this.lines.push(...lines);
      return bench.append(this.#file, linesOf(...lines));
    }
    if (how === 'replace') rmSync(bench.path(this.#file));
    if (how === 'overwrite') {
      // As many lines of the same length as there were, all but the first of them others.
      const kept = this.lines.slice(0, 1);
      lines = [...kept, ...this.lines.slice(1).map(again)];
    }
    this.lines = lines;
    bench.write(this.#file, linesOf(...lines));
  }

  remove(): void {
    rmSync(this.#bench.path(this.#file));
    this.#bench.pass(1_000);
  }
}

/** Another run whose line is as long. */
function again(before: string): string {
  const record = JSON.parse(before) as { output_summary: string };
  return line(record.output_summary);
}
