/** Requests that wait where the service says that it is busy. */
import type { Answer, Target } from '../answer.ts';

/** Too many requests, or a full queue: both pass. */
const PASSING = [429, 503];
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 8_000;
/** All pauses of one request together. */
const MAX_WAIT_MS = 60_000;
/** Whoever waits for longer is told. */
const SILENT_MS = 2_000;

/** Resolves after so many milliseconds; tests count them instead. */
export type Pause = (milliseconds: number) => Promise<void>;

const sleep: Pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Of these the user has been told that they are waited for; requests to one may wait beside each other. */
const told = new WeakSet<Asked>();
type Asked = Pick<Target, 'where' | 'note'>;

/**
 * Asks again, with growing pauses (or those it asks for) and for at most a minute, as long as the service is busy.
 *
 * @param target gets a note where that takes longer than 2 s
 * @returns the last answer, whatever it is
 */
export async function patiently(target: Asked, ask: () => Promise<Answer>, pause: Pause = sleep): Promise<Answer> {
  try {
    return await waitFor(target, ask, pause);
  } finally {
    told.delete(target);
  }
}

async function waitFor(target: Asked, ask: () => Promise<Answer>, pause: Pause): Promise<Answer> {
  let waited = 0;
  for (let next = FIRST_PAUSE_MS; ; next = Math.min(2 * next, MAX_PAUSE_MS)) {
    const answer = await ask();
    if (!PASSING.includes(answer.status) || waited >= MAX_WAIT_MS) return answer;
    const length = Math.min(Math.max(next, answer.retryAfterMs ?? 0), MAX_WAIT_MS - waited);
    waited += length;
    if (waited > SILENT_MS && !told.has(target)) {
      told.add(target);
      target.note?.(`${target.where} is busy (${answer.status}). It is asked again, for a minute at most.`);
    }
    await pause(length);
  }
}
