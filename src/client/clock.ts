/**
 * Timers and clocks as they were when the client was imported. A test of the agent that fakes them afterwards must not
 * bring the delivery of its runs to a stand, nor give them times of its own.
 */
export let setTimeout: typeof globalThis.setTimeout;
export let clearTimeout: typeof globalThis.clearTimeout;
export let setInterval: typeof globalThis.setInterval;
export let clearInterval: typeof globalThis.clearInterval;
export let setImmediate: typeof globalThis.setImmediate;
export let Date: DateConstructor;
/** Milliseconds since the epoch. */
export let now: () => number;
/** Milliseconds that only grow. */
export let elapsed: () => number;

/** Takes those that there are now; once more only for tests of the client itself, which fake its own. */
export function takeClock(): void {
  ({ setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, Date } = globalThis);
  // By themselves: fakes put others into the same objects.
  const { performance } = globalThis;
  now = Date.now.bind(Date);
  elapsed = performance.now.bind(performance);
}

takeClock();

/** The time as ISO 8601. */
export const timestamp = (): string => new Date(now()).toISOString();
