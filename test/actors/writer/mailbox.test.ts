import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox, type MailboxLimits } from '../../../src/actors/writer/mailbox.ts';

interface Item {
  bytes: number;
}

const item = (bytes: number): Item => ({ bytes });
const ROOM = { maxCommands: 100, maxBytes: 1_000 };
const mailboxOf = (limits: Partial<MailboxLimits> = {}, sendable: Partial<MailboxLimits> = {}): Mailbox<Item> =>
  new Mailbox<Item>({ ...ROOM, ...limits }, { ...ROOM, ...sendable });

function offerAll(mailbox: Mailbox<Item>, ...sizes: number[]): boolean[] {
  return sizes.map((bytes) => mailbox.offer(item(bytes)));
}

const sizes = (items: readonly Item[]): number[] => items.map(({ bytes }) => bytes);

test('it sends in order, each once, and gives back in order what was answered', () => {
  const mailbox = mailboxOf({}, { maxCommands: 2 });
  offerAll(mailbox, 1, 2, 3);
  assert.deepEqual([sizes(mailbox.send()), sizes(mailbox.send())], [[1, 2], []], 'no more than may be with the writer');
  assert.deepEqual(sizes(mailbox.answered(1)), [1]);
  assert.deepEqual(sizes(mailbox.send()), [3]);
  assert.deepEqual([sizes(mailbox.answered(2)), mailbox.isEmpty], [[2, 3], true]);
});

test('what the writer works on does not wait; what is sent ahead does', () => {
  const mailbox = mailboxOf();
  offerAll(mailbox, 1, 2);
  assert.deepEqual([mailbox.depth, mailbox.bytes, mailbox.isBusy], [2, 3, false]);
  mailbox.send();
  assert.deepEqual([mailbox.depth, mailbox.bytes, mailbox.isBusy], [0, 0, true]);
  offerAll(mailbox, 4, 8, 16);
  mailbox.send();
  assert.deepEqual([mailbox.depth, mailbox.bytes, mailbox.unsent], [3, 28, 0]);
  mailbox.answered(3);
  assert.deepEqual([mailbox.depth, mailbox.isBusy, mailbox.isEmpty], [0, true, false], 'one had joined, two are next');
});

test('it refuses a command or a byte too many, and takes it once there is room', () => {
  const few = mailboxOf({ maxCommands: 2 });
  assert.deepEqual(offerAll(few, 1, 1, 1), [true, true, false]);
  few.send();
  assert.deepEqual(offerAll(few, 1, 1, 1), [true, true, false], 'the writer has the first two');
  const small = mailboxOf({ maxBytes: 10 });
  assert.deepEqual(offerAll(small, 6, 5, 4, 1), [true, false, true, false]);
  assert.equal(small.bytes, 10);
});

test('a command larger than all room fits where none waits, and goes alone', () => {
  const mailbox = mailboxOf({ maxBytes: 10 }, { maxBytes: 10 });
  assert.deepEqual(offerAll(mailbox, 50, 0), [true, false]);
  assert.deepEqual(sizes(mailbox.send()), [50]);
  offerAll(mailbox, 3);
  assert.deepEqual(sizes(mailbox.send()), [], 'the writer has its fill');
  mailbox.answered(1);
  assert.deepEqual(sizes(mailbox.send()), [3]);
});

test('taking all empties it, whoever has it', () => {
  const mailbox = mailboxOf({}, { maxCommands: 1 });
  offerAll(mailbox, 4, 5);
  mailbox.send();
  assert.deepEqual(sizes(mailbox.takeAll()), [4, 5]);
  assert.deepEqual([mailbox.depth, mailbox.bytes, mailbox.isBusy, mailbox.isEmpty], [0, 0, false, true]);
});

test('how long the writer works is told from what it last got or gave', () => {
  const mailbox = mailboxOf({}, { maxCommands: 2 });
  assert.equal(mailbox.busyFor(5), 0);
  offerAll(mailbox, 1, 1, 1);
  mailbox.send(10);
  mailbox.send(20);
  assert.equal(mailbox.busyFor(30), 20);
  mailbox.answered(1, 40);
  assert.equal(mailbox.busyFor(50), 10);
  mailbox.answered(1, 60);
  assert.deepEqual([mailbox.busyFor(70), mailbox.unsent], [0, 1], 'the last one is not with it yet');
});

test('whatever comes and goes, order, bounds and sizes hold', () => {
  const step = fc.oneof(fc.nat(12), fc.constant('send' as const), fc.record({ answered: fc.nat(4) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [limits, sendable] = [
        { maxCommands: 6, maxBytes: 30 },
        { maxCommands: 4, maxBytes: 20 },
      ];
      const mailbox = new Mailbox<Item>(limits, sendable);
      const unsent: Item[] = [];
      const sent: Item[] = [];
      for (const what of steps) {
        if (typeof what === 'number') {
          const offered = item(what);
          if (mailbox.offer(offered)) unsent.push(offered);
          else assert.ok(mailbox.depth > 0);
        } else if (what === 'send') {
          const room = sent.length === 0 && unsent.length > 0;
          const items = mailbox.send();
          assert.deepEqual(items, unsent.splice(0, items.length));
          sent.push(...items);
          if (room) assert.ok(items.length > 0, 'at least one where the writer has none');
        } else {
          const count = Math.min(what.answered, sent.length);
          assert.deepEqual(mailbox.answered(count), sent.splice(0, count));
        }
        const bytes = (items: Item[]): number => items.reduce((sum, one) => sum + one.bytes, 0);
        assert.ok(sent.length <= 1 || (sent.length <= sendable.maxCommands && bytes(sent) <= sendable.maxBytes));
        assert.ok(mailbox.depth <= 1 || (mailbox.depth <= limits.maxCommands && mailbox.bytes <= limits.maxBytes));
        assert.equal(mailbox.unsent, unsent.length);
        assert.equal(mailbox.isEmpty, sent.length + unsent.length === 0);
      }
    }),
  );
});
