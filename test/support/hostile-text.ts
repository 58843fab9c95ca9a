/** Text that is written to hurt: fragments of addresses, and a watch on how time grows with length. */
import assert from 'node:assert/strict';

/** What remotes are made of, and what is left out, doubled or turned round in them. */
export const ELSEWHERE_SPELT: readonly string[] = [
  ...['https', 'http', 'ssh', 'git', 'ftp', 'u', 'p', 'h', 'github.com', 'o/r.git', '1.2.3.4.5', 'build.7', '8443'],
  ...[':', '://', ':\\\\', '/', '//', '\\', '@', '?', '#', '[', ']', '..', '%40', ' ', '\t', '\n', '\u0001', '::'],
];

const SHORT = 2 ** 12;
const LONG = 2 ** 18;
/** Sixty-four times the length takes as many times as long; where time grew with its square it would be four thousand. */
const MOST = 64 * 16;
/** What is so quick says nothing of how it grows. */
const QUICK_MS = 20;

/** @param made the work on a text of so many characters, which is made before the watch starts */
export function growsLinearly(what: string, made: (length: number) => () => void): void {
  const long = quickest(made(LONG), 3);
  if (long < QUICK_MS) return;
  const short = quickest(made(SHORT), 5);
  assert.ok(long < MOST * short, `${what}: ${short} ms for ${SHORT} characters, ${long} ms for ${LONG}`);
}

function quickest(work: () => void, times: number): number {
  let least = Infinity;
  for (let time = 0; time < times && least > 1; time++) {
    const since = performance.now();
    work();
    least = Math.min(least, performance.now() - since);
    if (least > 2_000) break;
  }
  return least;
}
