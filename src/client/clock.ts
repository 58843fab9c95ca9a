/**
 * Timers and clocks as they were when the client was imported. A test of the agent that fakes them afterwards must not
 * bring the delivery of its runs to a stand, nor give them times of its own.
 */
const real = globalThis;

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, Date } = real;

/** Milliseconds since the epoch. By itself: fakes put another `now` into the same Date. */
export const { now } = Date as { now: () => number };

/** The time as ISO 8601. */
export const timestamp = (): string => new Date(now()).toISOString();

const { performance } = real;
const monotonic = performance.now as () => number;

/** Milliseconds that only grow. */
export const elapsed = (): number => monotonic.call(performance);
