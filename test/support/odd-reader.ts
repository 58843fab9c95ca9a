/** A reader's program that does what the event_id says, in place of reading. */
import { workerData } from 'piscina';
import type { QueryTask } from '../../src/actors/protocol.ts';
import type { ReaderData } from '../../src/actors/readers/actor.ts';
import type { Outcome } from '../../src/errors.ts';

const { signs } = workerData as ReaderData;
const asleep = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

export default function answer(task: QueryTask & { place: number }): Outcome<null> {
  const { eventId } = task.args as { eventId: string };
  Atomics.add(signs, task.place, 1);
  if (eventId === 'loop') for (;;);
  if (eventId === 'die') process.exit(1);
  // Long, but alive.
  for (let visit = 0; eventId === 'visits' && visit < 30; visit++) {
    Atomics.wait(asleep, 0, 0, 20);
    Atomics.add(signs, task.place, 1);
  }
  return { ok: true, value: null };
}
