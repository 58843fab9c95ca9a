import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SCRIPTS } from '../bench/all-scripts.ts';
import { type Compared, figuresBeside, takeBesides } from '../bench/beside.ts';
import { isMet, type Kept } from '../bench/report.ts';
import { none, read } from './support/documents.ts';
import { runToEnd, temporaryDirectory } from './support/service.ts';

/** Run by themselves: they are about something else than the service at work. */
const APART = ['client', 'retention', 'migration'];

const TINY = ['--rounds', '1', '--seconds', '0.1', '--rows', '100', '--small', '10', '--large', '50'];
const SINGLES = ['1 connection', '8 connections', '32 connections', '256 connections'].flatMap((connections) => [
  `single runs, ${connections} / bare loop, 1 row a commit`,
  `single runs, ${connections}: p50`,
  `single runs, ${connections}: p99`,
]);
const BATCHES = ['10, 1 connection', '10, 4 connections', '50, 1 connection', '50, 4 connections'].flatMap((batch) => [
  `batches of ${batch} / bare loop, as many a commit`,
  `batches of ${batch} / bare HTTP server`,
]);

test('the benchmark of writes has every figure, as a table and as JSON in the folder it is told', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { BENCH_RESULTS: directory, BENCH_RUNS: join(directory, 'none') };
  const script = fileURLToPath(new URL('../bench/writes.ts', import.meta.url));
  const { code, stdout, stderr } = await runToEnd(environment, TINY, script);
  assert.deepEqual([code, stderr], [0, '']);
  const { figures, machine } = JSON.parse(readFileSync(join(directory, 'writes.json'), 'utf8')) as Kept;
  assert.deepEqual(
    figures.map(({ name }) => name),
    [...SINGLES, ...BATCHES],
  );
  for (const { name, rounds } of figures) {
    assert.equal(rounds.length, 1, name);
    assert.ok(
      rounds.every((value) => Number.isFinite(value) && value > 0),
      `${name}: ${rounds.join()}`,
    );
    assert.ok(stdout.includes(`\n${name} `), `${name} is not in the table`);
  }
  assert.ok(stdout.includes(machine));
});

test('npm run bench runs every benchmark that is not run by itself', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const names = Object.keys(scripts).flatMap((name) => /^bench:(.+)$/.exec(name)?.[1] ?? []);
  const known = [...SCRIPTS.map(({ name }) => name), ...APART];
  none(
    names.filter((name) => !known.includes(name)),
    'In neither bench/all-scripts.ts nor the exceptions:',
  );
  none(
    known.filter((name) => !names.includes(name)),
    'Not in package.json:',
  );
});

test('beside another checkout a figure below the goal counts as met only within the noise, and only so far', () => {
  const met = (unit: Compared['unit'], self: number, ...again: number[]): boolean | undefined => {
    const values = again.map((value): Compared['values'][number] => [self, 100, value]);
    const [figure, noise] = figuresBeside({ name: 'figure', unit, values, goal: true });
    assert.ok(figure && noise);
    assert.equal(isMet(noise), undefined);
    return isMet(figure);
  };
  const quiet = [100, 100, 100, 100];
  assert.deepEqual([met('a second', 98, ...quiet), met('a second', 96, ...quiet)], [true, false]);
  assert.deepEqual([met('ms', 102, ...quiet), met('ms', 104, ...quiet)], [true, false], 'of times less is better');
  const noisy = [95, 95, 100, 105];
  assert.deepEqual([met('a second', 96, ...noisy), met('a second', 94, ...noisy)], [true, false]);
  assert.equal(met('a second', 80, 50, 50, 100, 150), false, 'so noisy a machine excuses nothing');
});

test('--beside takes a checkout, and leaves the other options', () => {
  const argv = ['node', 'bench', '--rounds', '2', '--beside', '.', '--quick'];
  const { checkout, quick } = takeBesides(argv) ?? {};
  assert.deepEqual([checkout, quick, argv], [process.cwd(), true, ['node', 'bench', '--rounds', '2']]);
  assert.equal(takeBesides(argv), undefined);
  for (const wrong of [['--beside'], ['--beside', '/nowhere']]) assert.throws(() => takeBesides(wrong), RangeError);
});
