/** One attack on a service, and how others fare meanwhile. */
import { setTimeout as pause } from 'node:timers/promises';
import { RUNS } from '../support/http.ts';
import { aRun, requester } from '../support/service.ts';
import type { Attack } from './attacks.ts';
import type { Boxed } from './box.ts';

/** After the last byte others are watched for so long. */
const AFTERWARDS_MS = 3_000;
const EVERY_MS = 100;
/** What another waits at most. */
export const PATIENCE_MS = 1_000;

export interface Siege {
  peak: number;
  alive: boolean;
  /** Requests of others: how many, how many were not answered well, the longest in milliseconds. */
  asked: number;
  failed: number;
  longestMs: number;
}

/** @param limitMs an attack that takes longer is ended */
export async function besiege(boxed: Boxed, attack: Attack, limitMs: number): Promise<Siege> {
  const end = new AbortController();
  let over = false;
  const attacking = Promise.race([attack(boxed.url, end.signal), pause(limitMs, undefined, { ref: false })])
    // What becomes of the attacker is no matter.
    .catch(() => undefined)
    .then(() => pause(Math.min(AFTERWARDS_MS, limitMs)))
    .then(() => (over = true));
  const siege: Siege = { peak: 0, alive: true, asked: 0, failed: 0, longestMs: 0 };
  while (!over) {
    await Promise.all([
      ask(boxed, siege, 'POST', RUNS, aRun()),
      ask(boxed, siege, 'GET', `${RUNS}?limit=1`),
      ask(boxed, siege, 'GET', '/health'),
    ]);
    siege.peak = Math.max(siege.peak, boxed.peak());
    await pause(EVERY_MS);
  }
  end.abort();
  await attacking;
  siege.alive = boxed.alive();
  return siege;
}

async function ask({ url }: Boxed, siege: Siege, method: string, path: string, body?: unknown): Promise<void> {
  const since = performance.now();
  const request = requester(url);
  // A connection that was idle may be closed under a request, which is then sent once more.
  const answer = await request(method, path, body)
    .catch(() => request(method, path, body))
    .catch(() => undefined);
  siege.asked++;
  if (answer === undefined || answer.status >= 300) siege.failed++;
  siege.longestMs = Math.max(siege.longestMs, performance.now() - since);
}
