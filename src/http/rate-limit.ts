/** A sliding window of requests per client address, in bounded memory. */
const WINDOW_MS = 60_000;
/** Timestamps kept over all addresses; beyond it the address longest unseen is forgotten. */
const MAX_TIMESTAMPS = 1_000_000;

export interface Verdict {
  allowed: boolean;
  remaining: number;
  /** Seconds until a request is taken again; 0 where this one was. */
  retryAfter: number;
}

export class RateLimiter {
  readonly #limit: number;
  readonly #now: () => number;
  /** Times of the requests taken, oldest first; the addresses by when they were last seen. */
  readonly #taken = new Map<string, number[]>();
  #total = 0;

  constructor(limitPerMinute: number, now: () => number = () => performance.now()) {
    this.#limit = limitPerMinute;
    this.#now = now;
  }

  get limit(): number {
    return this.#limit;
  }

  check(address: string): Verdict {
    const now = this.#now();
    const recent = this.#taken.get(address) ?? [];
    while (recent.length > 0 && (recent[0] ?? now) <= now - WINDOW_MS) {
      recent.shift();
      this.#total--;
    }
    this.#taken.delete(address);
    this.#taken.set(address, recent);
    if (recent.length >= this.#limit) {
      const oldest = recent[0] ?? now;
      return { allowed: false, remaining: 0, retryAfter: Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000)) };
    }
    recent.push(now);
    this.#total++;
    this.#forget();
    return { allowed: true, remaining: this.#limit - recent.length, retryAfter: 0 };
  }

  #forget(): void {
    for (const [address, taken] of this.#taken) {
      const newest = taken.at(-1) ?? -Infinity;
      if (this.#total <= MAX_TIMESTAMPS && newest > this.#now() - WINDOW_MS) return;
      this.#taken.delete(address);
      this.#total -= taken.length;
    }
  }
}
