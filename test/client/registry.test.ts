import assert from 'node:assert/strict';
import { test } from 'node:test';
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

for (const [what, before, after] of [
  ['shrink', MIB, 1],
  ['grow', 1_000, 100_000],
] as const) {
  test(`ended runs that ${what} afterwards do not upset the count`, () => {
    const registry = new RunRegistry();
    for (let n = 0; n < 2_000; n++) ended(registry, `earlier-${n}`, before).size = after;
    const names = Array.from({ length: 10 }, (_each, n) => `run-${n}`);
    for (const name of names) ended(registry, name, MIB);
    assert.deepEqual(known(registry, names), names.slice(-4));
  });
}
