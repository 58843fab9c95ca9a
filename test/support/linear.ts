/** Whether work grows no faster than its input: what a stranger may send must never cost the square of its size. */
import assert from 'node:assert/strict';

/** The sizes compared: 16 times the input may cost 64 times as much, where work that is quadratic costs 256 times. */
const SMALL = 2 ** 14;
const LARGE = 2 ** 18;
const FACTOR = (LARGE / SMALL) * 4;
/** Below this a clock tells nothing, and nobody is kept waiting. */
const NOTICEABLE_MS = 20;
const ROUNDS = 12;

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
  const [small, large] = [make(SMALL), make(LARGE)];
  let [least, most] = [Infinity, Infinity];
  // The shortest of some: whatever else the machine does makes one longer, never shorter. A square is one in every round.
  for (let round = 0; round < ROUNDS; round++) {
    least = Math.min(least, timeOf(small, work), timeOf(small, work));
    most = Math.min(most, timeOf(large, work));
    if (most <= Math.max(NOTICEABLE_MS, least * FACTOR)) return;
  }
  assert.fail(`${what} took ${least.toFixed(2)} ms for ${SMALL} characters and ${most.toFixed(2)} ms for ${LARGE}`);
}

/** Milliseconds of this thread's processor time: what other programs take does not count. */
function timeOf<T>(input: T, work: (input: T) => unknown): number {
  const before = process.threadCpuUsage();
  try {
    work(input);
  } catch {
    // A refusal is an answer.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
