import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox } from '../../../src/actors/writer/mailbox.ts';

const item = (bytes: number): { bytes: number } => ({ bytes });

test('it gives back in order what it took', () => {
  const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 10, maxBytes: 100 });
  const items = [item(1), item(2), item(3)];
  for (const one of items) assert.equal(mailbox.offer(one), true);
  assert.deepEqual([mailbox.depth, mailbox.bytes], [3, 6]);
  assert.deepEqual(mailbox.take(2, 100), items.slice(0, 2));
  assert.deepEqual(mailbox.take(2, 100), items.slice(2));
  assert.deepEqual([mailbox.take(2, 100), mailbox.depth, mailbox.bytes], [[], 0, 0]);
});

test('it refuses a command too many, and takes it once there is room', () => {
  const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 2, maxBytes: 100 });
  assert.deepEqual(
    [1, 1, 1].map((bytes) => mailbox.offer(item(bytes))),
    [true, true, false],
  );
  mailbox.take(1, 100);
  assert.equal(mailbox.offer(item(1)), true);
});

test('it refuses a byte too many, and takes exactly as many as it may', () => {
  const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 10, maxBytes: 10 });
  assert.deepEqual(
    [6, 5, 4, 1].map((bytes) => mailbox.offer(item(bytes))),
    [true, false, true, false],
  );
  assert.equal(mailbox.bytes, 10);
});

test('a command larger than all its room fits while it is empty, and leaves as a group of its own', () => {
  const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 10, maxBytes: 10 });
  assert.equal(mailbox.offer(item(50)), true);
  assert.equal(mailbox.offer(item(0)), false);
  assert.deepEqual(mailbox.take(5, 10), [item(50)]);
  assert.equal(mailbox.offer(item(10)), true);
});

test('taking all empties it', () => {
  const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 10, maxBytes: 10 });
  mailbox.offer(item(4));
  mailbox.offer(item(5));
  assert.deepEqual(mailbox.takeAll(), [item(4), item(5)]);
  assert.deepEqual([mailbox.depth, mailbox.bytes], [0, 0]);
});

test('whatever comes and goes, order, bounds and sizes hold', () => {
  const steps = fc.array(fc.oneof(fc.nat(12), fc.tuple(fc.nat(4), fc.nat(20))), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (list) => {
      const mailbox = new Mailbox<{ bytes: number }>({ maxCommands: 6, maxBytes: 30 });
      const waiting: { bytes: number }[] = [];
      for (const step of list) {
        if (typeof step === 'number') {
          const offered = item(step);
          if (mailbox.offer(offered)) waiting.push(offered);
        } else {
          const taken = mailbox.take(...step);
          assert.equal(taken.length > 0, waiting.length > 0, 'at least one where there is any');
          assert.deepEqual(taken, waiting.splice(0, taken.length));
          const bytes = taken.reduce((sum, one) => sum + one.bytes, 0);
          assert.ok(taken.length <= 1 || (taken.length <= step[0] && bytes <= step[1]), 'within both bounds');
        }
        assert.equal(mailbox.depth, waiting.length);
        assert.equal(
          mailbox.bytes,
          waiting.reduce((sum, one) => sum + one.bytes, 0),
        );
      }
    }),
  );
});
