/** Whether work grows no faster than its input: what a stranger may send must never cost the square of its size. */
import assert from 'node:assert/strict';

/** One large input is compared with many small ones that are as large together: work that is quadratic takes 16 times as long. */
const SMALL = 2 ** 14;
const LARGE = 2 ** 18;
const FACTOR = 6;
/** Below this a clock tells nothing, and nobody is kept waiting. */
const NOTICEABLE_MS = 40;
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
    most = Math.min(most, timeOf(large, work));
    if (most <= NOTICEABLE_MS) return;
    least = Math.min(least, timeOf(small, work, LARGE / SMALL));
    if (most <= least * FACTOR) return;
  }
  const parts = `${LARGE / SMALL} times ${SMALL} characters`;
  assert.fail(`${what} took ${least.toFixed(0)} ms for ${parts} and ${most.toFixed(0)} ms for ${LARGE}`);
}

/** Milliseconds of this thread's processor time: what other programs take does not count. */
function timeOf<T>(input: T, work: (input: T) => unknown, times = 1): number {
  const before = process.threadCpuUsage();
  for (let time = 0; time < times; time++) {
    try {
      work(input);
    } catch {
      // A refusal is an answer.
    }
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
