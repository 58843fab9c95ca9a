import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { startRun, type TrackedRun } from '../../src/client/record.ts';
import { RunRegistry } from '../../src/client/registry.ts';

const MIB = 1024 * 1024;

function ended(registry: RunRegistry, runId: string, size: number): TrackedRun {
  const { run } = startRun({ runId, agentName: 'agent', jobType: 'job', fields: {}, defaults: {} });
  registry.add(run);
  run.size = size;
  registry.end(run);
  return run;
}

const known = (registry: RunRegistry, names: readonly string[]): string[] =>
  names.filter((name) => registry.find(name) !== undefined);

test('of ended runs the newest stay known, up to 4 MiB of text', () => {
  const registry = new RunRegistry();
  const names = Array.from({ length: 100 }, (_each, n) => `run-${n}`);
  for (const name of names) ended(registry, name, 0.9 * MIB);
  assert.deepEqual(known(registry, names), names.slice(-4));
});

test('of small ended runs the newest thousand stay known', () => {
  const registry = new RunRegistry();
  const names = Array.from({ length: 1_500 }, (_each, n) => `run-${n}`);
  for (const name of names) ended(registry, name, 1_000);
  assert.deepEqual(known(registry, names), names.slice(-1_000));
});

test('a run_id that is used time and again counts once', () => {
  const registry = new RunRegistry();
  ended(registry, 'other', MIB);
  for (let n = 0; n < 100; n++) ended(registry, 'again', MIB);
  assert.deepEqual(known(registry, ['other', 'again']), ['other', 'again']);
});

test('ended runs whose size changes afterwards do not upset the count: the end of a run comes back, and the newest is known', () => {
  for (const [before, after] of [
    [MIB, 1],
    [1, MIB],
  ] as const) {
    const registry = new RunRegistry();
    const names = Array.from({ length: 2_000 }, (_each, n) => `run-${n}`);
    const work = (): void => {
      for (const name of names) ended(registry, name, before).size = after;
    };
    // A loop without end would never come back here; the limit is only for that.
    runInNewContext('work()', { work }, { timeout: 20_000 });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) ended(registry, name, MIB);
    const [first, ...rest] = known(registry, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    assert.deepEqual([first, ...rest].slice(-1), ['h']);
    assert.ok(rest.length < 4, `more than 4 MiB is kept after sizes went from ${before} to ${after}`);
  }
});
