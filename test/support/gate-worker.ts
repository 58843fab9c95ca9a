/** A thread that goes in and out of the gate, and counts whoever is in it together. */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { Gate } from '../../src/actors/gate.ts';

/** Places in the shared counters beside the gate. */
const AT = { writers: 0, readers: 1, violations: 2, stop: 3, rounds: 4, late: 5, hold: 6 } as const;

export interface GateTask {
  role: 'writer' | 'reader' | 'dier' | 'holder';
  gate: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  /** How often a reader goes in; a writer goes on until it is stopped. */
  entries?: number;
}

/** No thread waits longer for another. */
const BOUND_MS = 20_000;

const { role, gate: memory, counters, entries = 0 } = workerData as GateTask;
const gate = new Gate(memory);
const shared = new Int32Array(counters);

/** A few microseconds of work, different each time. */
function work(seed: number): void {
  for (let step = 0; step < 200 + ((seed * 7919) % 1000); step++) Atomics.load(shared, AT.stop);
}

function write(): void {
  parentPort?.postMessage('started');
  for (let round = 0; Atomics.load(shared, AT.stop) === 0; round++) {
    if (!gate.shut(BOUND_MS)) Atomics.add(shared, AT.late, 1);
    Atomics.store(shared, AT.writers, 1);
    if (Atomics.load(shared, AT.readers) !== 0) Atomics.add(shared, AT.violations, 1);
    work(round);
    if (Atomics.load(shared, AT.readers) !== 0) Atomics.add(shared, AT.violations, 1);
    Atomics.store(shared, AT.writers, 0);
    gate.open();
    Atomics.add(shared, AT.rounds, 1);
    work(round);
  }
}

function read(): void {
  const slot = gate.claim(threadId);
  for (let entry = 0; entry < entries; entry++) {
    if (!gate.enter(slot, BOUND_MS)) {
      Atomics.add(shared, AT.late, 1);
      continue;
    }
    Atomics.add(shared, AT.readers, 1);
    if (Atomics.load(shared, AT.writers) !== 0) Atomics.add(shared, AT.violations, 1);
    work(entry);
    if (Atomics.load(shared, AT.writers) !== 0) Atomics.add(shared, AT.violations, 1);
    Atomics.sub(shared, AT.readers, 1);
    gate.leave(slot);
  }
}

/** Goes in and stays, while `hold` is 1. */
function hold(): void {
  const slot = gate.claim(threadId);
  gate.enter(slot, BOUND_MS);
  parentPort?.postMessage('inside');
  Atomics.wait(shared, AT.hold, 1, BOUND_MS);
  if (role === 'dier') throw new Error('dies inside the gate');
  gate.leave(slot);
}

if (role === 'writer') write();
else if (role === 'reader') read();
else hold();
