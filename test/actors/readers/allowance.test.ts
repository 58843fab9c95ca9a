import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Allowance } from '../../../src/actors/readers/allowance.ts';

test('so many are allowed within a span, wherever the span begins', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 });
  const property = fc.property(fc.integer({ min: 1, max: 5 }), steps, (most, pauses) => {
    let now = 0;
    const allowance = new Allowance(most, 60, () => now);
    const taken: number[] = [];
    for (const passed of pauses) {
      now += passed;
      const within = taken.filter((at) => now - at < 60).length;
      assert.equal(allowance.take(), within < most, `${within} of ${most} at ${now}`);
      if (within < most) taken.push(now);
    }
  });
  fc.assert(property);
});
