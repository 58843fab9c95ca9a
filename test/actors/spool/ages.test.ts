import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ages } from '../../../src/actors/spool/ages.ts';

test('bytes are old enough when they were there at a look long enough ago', () => {
  const ages = new Ages(3_000);
  ages.see(0, 100);
  ages.see(1_000, 250);
  assert.deepEqual([ages.ripe(2_999), ages.nextRipe(2_999)], [0, 3_000]);
  assert.deepEqual([ages.ripe(3_000), ages.nextRipe(3_000)], [100, 4_000]);
  assert.deepEqual([ages.ripe(4_000), ages.nextRipe(4_000)], [250, undefined]);
});

test('looks at an unchanged size do not make its bytes younger', () => {
  const ages = new Ages(3_000);
  for (let at = 0; at <= 3_000; at += 500) ages.see(at, 100);
  assert.equal(ages.ripe(3_000), 100);
});

test('a file that is cut short, and a clock that goes back, begin anew', () => {
  const ages = new Ages(3_000);
  ages.see(0, 100);
  ages.see(4_000, 50);
  assert.equal(ages.ripe(4_000), 0);
  ages.see(1_000, 60);
  assert.deepEqual([ages.ripe(1_000), ages.ripe(4_000)], [0, 60]);
});

test('looks that follow close upon each other never call a byte older than it is', () => {
  const ages = new Ages(3_000);
  for (let at = 0; at <= 10_000; at += 7) {
    ages.see(at, at);
    assert.ok(ages.ripe(at) <= Math.max(0, at - 3_000), `at ${at}`);
    assert.ok(ages.ripe(at) >= at - 3_000 - 110, `at ${at}`);
  }
});
