import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../src/histogram.ts';

test('an observation is counted at the first bound that is not below it, or above all', () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 100]) histogram.observe(value);
  assert.deepEqual(histogram.counts, [2, 2, 1, 2]);
  assert.equal(histogram.sum, 114.6);
});

test('every observation is counted once, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true })), (values) => {
      const histogram = new Histogram([0.1, 1, 10]);
      for (const value of values) histogram.observe(value);
      assert.equal(
        histogram.counts.reduce((sum, count) => sum + count, 0),
        values.length,
      );
    }),
    { numRuns: 50 },
  );
});
