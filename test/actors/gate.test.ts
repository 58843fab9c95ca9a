import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Gate } from '../../src/actors/gate.ts';
import type { GateTask } from '../support/gate-worker.ts';

const AT = { violations: 2, stop: 3, rounds: 4, late: 5, hold: 6 } as const;
const WORKER = new URL('../support/gate-worker.ts', import.meta.url);

interface House {
  gate: Gate;
  shared: Int32Array;
  start: (role: GateTask['role'], entries?: number) => Worker;
}

function house(t: TestContext): House {
  const gate = new Gate();
  const counters = new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT);
  const shared = new Int32Array(counters);
  const start: House['start'] = (role, entries) => {
    const workerData: GateTask = { role, gate: gate.memory, counters, ...(entries !== undefined && { entries }) };
    const worker = new Worker(WORKER, { workerData });
    t.after(() => worker.terminate());
    return worker;
  };
  return { gate, shared, start };
}

/** Lets threads that hold the gate go on. */
function letGo(shared: Int32Array): void {
  Atomics.store(shared, AT.hold, 2);
  Atomics.notify(shared, AT.hold);
}

/** Resolves once the first slot's state is another one. */
async function turns(memory: SharedArrayBuffer, { from }: { from: number }): Promise<void> {
  const { async: waits, value } = Atomics.waitAsync(new Int32Array(memory), 1, from, 20_000);
  if (waits) await value;
}

test('the writer is never in the gate together with a reader, and nobody starves', async (t) => {
  const { gate, shared, start } = house(t);
  const writer = start('writer');
  await once(writer, 'message');
  const readers = [start('reader', 3000), start('reader', 3000), start('reader', 3000)];
  // Each reader comes to its end beside a writer that never rests, or this never returns.
  await Promise.all(readers.map((reader) => once(reader, 'exit')));
  const rounds = Atomics.load(shared, AT.rounds);
  Atomics.store(shared, AT.stop, 1);
  await once(writer, 'exit');
  assert.deepEqual({ violations: shared[AT.violations], late: shared[AT.late] }, { violations: 0, late: 0 });
  assert.ok(rounds > 0, 'the writer was let in among the readers');
  assert.equal(gate.shut(0), true, 'everyone has left');
});

test('the counting of violations counts them', async (t) => {
  const { shared, start } = house(t);
  const other = house(t);
  // A reader at another gate, but on the same counters.
  const workerData: GateTask = {
    role: 'reader',
    gate: other.gate.memory,
    counters: shared.buffer as SharedArrayBuffer,
    entries: 20_000,
  };
  const writer = start('writer');
  await once(writer, 'message');
  const reader = new Worker(WORKER, { workerData });
  await once(reader, 'exit');
  Atomics.store(shared, AT.stop, 1);
  await once(writer, 'exit');
  assert.ok((shared[AT.violations] ?? 0) > 0);
});

test('shut waits no longer than it may for a reader that stays, and succeeds once that has left', async (t) => {
  const { gate, shared, start } = house(t);
  Atomics.store(shared, AT.hold, 1);
  const holder = start('holder');
  await once(holder, 'message');
  assert.equal(gate.shut(0), false);
  assert.equal(gate.shut(5), false);
  letGo(shared);
  await once(holder, 'exit');
  assert.equal(gate.shut(0), true);
});

test('a reader that died inside is released by its id, and its slot is free again', async (t) => {
  const { gate, shared, start } = house(t);
  Atomics.store(shared, AT.hold, 1);
  const dier = start('dier');
  const { threadId } = dier;
  await once(dier, 'message');
  const died = once(dier, 'error');
  letGo(shared);
  const [error] = (await died) as [Error];
  assert.equal(error.message, 'dies inside the gate');
  assert.equal(gate.shut(0), false, 'its slot still says that it is inside');
  gate.release(threadId);
  assert.equal(gate.shut(0), true);
  assert.equal(gate.claim(99), 0, 'the first slot is free');
});

test('a reader that is terminated inside is released too', async (t) => {
  const { gate, shared, start } = house(t);
  Atomics.store(shared, AT.hold, 1);
  const holder = start('holder');
  const { threadId } = holder;
  await once(holder, 'message');
  await holder.terminate();
  assert.equal(gate.shut(0), false);
  gate.release(threadId);
  assert.equal(gate.shut(0), true);
});

test('nobody enters while it is shut; opening lets those who wait in', async (t) => {
  const { gate, shared, start } = house(t);
  const slot = gate.claim(1000);
  assert.equal(gate.shut(0), true);
  assert.equal(gate.enter(slot, 0), false);
  assert.equal(gate.enter(slot, 5), false);
  assert.equal(gate.shut(0), true, 'one who was turned away is not inside');
  Atomics.store(shared, AT.hold, 1);
  const waiting = start('holder');
  const inside = once(waiting, 'message');
  await once(waiting, 'online');
  gate.open();
  await inside;
  assert.equal(gate.enter(slot, 0), true, 'readers do not keep each other out');
  gate.leave(slot);
  letGo(shared);
  await once(waiting, 'exit');
});

test('whoever has waited goes in before it is shut again, however soon that is', async (t) => {
  const {
    gate: { memory },
    shared,
    start,
  } = house(t);
  const gate = new Gate(memory, 20_000);
  gate.shut(0);
  const reader = start('reader', 1);
  const exited = once(reader, 'exit');
  // Outside, entering, waiting.
  for (const from of [0, 2]) await turns(memory, { from });
  gate.open();
  assert.equal(gate.shut(20_000), true);
  // It is never opened again: the reader comes to its end only if it has been in already.
  await exited;
  assert.equal(shared[AT.late], 0);
});

test('each reader has a slot of its own, and the seventeenth is told that there is none', () => {
  const gate = new Gate();
  const slots = Array.from({ length: 16 }, (_, index) => gate.claim(index + 1));
  assert.equal(new Set(slots).size, 16);
  assert.throws(() => gate.claim(17), RangeError);
  gate.release(5);
  assert.equal(gate.claim(17), slots[4]);
  gate.release(12345);
});

test('a gate on the same memory is the same gate', () => {
  const one = new Gate();
  const same = new Gate(one.memory);
  const slot = same.claim(7);
  assert.equal(same.enter(slot, 0), true);
  assert.equal(one.shut(0), false);
  same.leave(slot);
  assert.equal(one.shut(0), true);
  assert.equal(same.enter(slot, 0), false);
});
