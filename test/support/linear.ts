/** Whether work grows no faster than its input: what a stranger may send must never cost the square of its size. */
import assert from 'node:assert/strict';

/** The sizes compared: one large input may cost 16 times as much as 64 small ones, where work that is quadratic costs 64 times. */
const SMALL = 2 ** 12;
const LARGE = 2 ** 18;
const TIMES = LARGE / SMALL;
const FACTOR = 16;
/** Below this a clock tells nothing, and nobody is kept waiting. */
const NOTICEABLE_MS = 50;
const RUNS = 5;

/**
 * Fails where `work` on what `make` gives grows faster than in line with its size. Every size from 2^10 on is run once before, so that a
 * fault of another kind (a deep recursion, an exponential search) shows early, and the compiler has seen the work.
 *
 * @param make an input of about so many characters
 * @param work called several times with each; what it throws counts as an answer
 */
export function growsLinearly<T>(make: (size: number) => T, work: (input: T) => unknown, what = 'the work'): void {
  for (let size = 2 ** 10; size <= LARGE; size *= 2) {
    const took = timeOf(make(size), work);
    // Cubic or worse: the larger sizes would not end.
    assert.ok(took < 2_000, `${what} took ${took.toFixed(0)} ms for ${size} characters`);
  }
  const small = shortest(make(SMALL), (input) => repeatedly(work, input));
  const large = shortest(make(LARGE), work);
  const allowed = Math.max(NOTICEABLE_MS, small * FACTOR);
  assert.ok(
    large <= allowed,
    `${what} took ${small.toFixed(2)} ms for ${TIMES} times ${SMALL} characters and ${large.toFixed(2)} ms for ${LARGE}`,
  );
}

/** As often as it takes for the same length: so the collector of garbage and the other programs weigh on both alike. */
function repeatedly<T>(work: (input: T) => unknown, input: T): void {
  for (let count = 0; count < TIMES; count++) timeOf(input, work);
}

/** The shortest of some runs: whatever else the machine does makes one longer, never shorter. */
function shortest<T>(input: T, work: (input: T) => unknown): number {
  return Math.min(...Array.from({ length: RUNS }, () => timeOf(input, work)));
}

function timeOf<T>(input: T, work: (input: T) => unknown): number {
  const started = performance.now();
  try {
    work(input);
  } catch {
    // A refusal is an answer.
  }
  return performance.now() - started;
}
