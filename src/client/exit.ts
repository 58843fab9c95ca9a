/** The end of the process, for all clients in it: one listener each, no signal handlers. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from './clock.ts';
import { deferred } from './deferred.ts';

export interface Leaving {
  /** The event loop is empty: a last attempt to deliver, which may hold the process for a moment. */
  finish(): Promise<void>;
  /** The process exits now: what must be done without waiting. */
  leave(): void;
}

const clients = new Set<Leaving>();
let listening = false;

export function onExit(client: Leaving): void {
  clients.add(client);
  if (listening) return;
  listening = true;
  process.on('beforeExit', () => {
    for (const each of clients) void each.finish();
  });
  process.on('exit', () => {
    for (const each of clients) each.leave();
  });
}

export function offExit(client: Leaving): void {
  clients.delete(client);
}

/** Awaits something that the agent awaits: the process stays for it, which sockets of ours would not see to. */
export async function holding<T>(work: () => Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, 2 ** 30);
  try {
    return await work();
  } finally {
    clearInterval(hold);
  }
}

/** What `work` gives, or `otherwise` where it takes longer; the process stays for it. */
export async function within<T>(timeoutMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  const { promise: late, resolve } = deferred<T>();
  const timer = setTimeout(() => resolve(otherwise), timeoutMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
