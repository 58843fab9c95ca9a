/** A sliding window of requests per client address, in bounded memory. */
const WINDOW_MS = 60_000;
/** Timestamps and addresses of a generation. */
const MAX_TIMESTAMPS = 1_000_000;
const MAX_ADDRESSES = 50_000;

export interface Verdict {
  allowed: boolean;
  remaining: number;
  /** Seconds until a request is taken again; 0 where this one was. */
  retryAfter: number;
}

export class RateLimiter {
  readonly #limit: number;
  readonly #now: () => number;
  /**
   * Addresses seen since the last turn, and those not seen since, but since the one before. A turn lets the latter go, all at
   * once: after a window, when they have nothing left to tell, or earlier where the bounds are reached.
   */
  #recent = new Map<string, Times>();
  #earlier = new Map<string, Times>();
  #timestamps = 0;
  #turnedAt: number;

  constructor(limitPerMinute: number, now: () => number = () => performance.now()) {
    this.#limit = limitPerMinute;
    this.#now = now;
    this.#turnedAt = now();
  }

  get limit(): number {
    return this.#limit;
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#recent.size + this.#earlier.size;
  }

  check(address: string): Verdict {
    const now = this.#now();
    if (now - this.#turnedAt >= WINDOW_MS) this.#turn(now);
    const times = this.#timesOf(address);
    this.#timestamps -= times.dropUntil(now - WINDOW_MS);
    const allowed = times.count < this.#limit;
    const retryAfter = allowed ? 0 : Math.max(1, Math.ceil((times.oldest + WINDOW_MS - now) / 1000));
    if (allowed) {
      times.push(now);
      this.#timestamps++;
    }
    const verdict = { allowed, remaining: this.#limit - times.count, retryAfter };
    if (this.#timestamps > MAX_TIMESTAMPS || this.#recent.size > MAX_ADDRESSES) this.#turn(now);
    return verdict;
  }

  #timesOf(address: string): Times {
    const known = this.#recent.get(address);
    if (known) return known;
    const times = this.#earlier.get(address) ?? new Times();
    this.#earlier.delete(address);
    this.#recent.set(address, times);
    this.#timestamps += times.count;
    return times;
  }

  #turn(now: number): void {
    this.#earlier = this.#recent;
    this.#recent = new Map();
    this.#timestamps = 0;
    this.#turnedAt = now;
  }
}

/** Times in their order, in a ring that grows: the oldest go without the others being moved. */
class Times {
  #ring = new Float64Array(4);
  #first = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get oldest(): number {
    return this.#at(0);
  }

  push(time: number): void {
    if (this.#count === this.#ring.length) {
      const ring = new Float64Array(2 * this.#count);
      for (let index = 0; index < this.#count; index++) ring[index] = this.#at(index);
      this.#ring = ring;
      this.#first = 0;
    }
    this.#ring[(this.#first + this.#count++) & (this.#ring.length - 1)] = time;
  }

  /** Drops what is not later, found by halving. @returns how many */
  dropUntil(time: number): number {
    let dropped = 0;
    for (let end = this.#count; dropped < end;) {
      const middle = (dropped + end) >> 1;
      if (this.#at(middle) <= time) dropped = middle + 1;
      else end = middle;
    }
    this.#first = (this.#first + dropped) & (this.#ring.length - 1);
    this.#count -= dropped;
    if (this.#count === 0) this.#ring = new Float64Array(4);
    return dropped;
  }

  /** -Infinity where there is none. */
  #at(index: number): number {
    if (index < 0 || index >= this.#count) return -Infinity;
    return this.#ring[(this.#first + index) & (this.#ring.length - 1)] ?? -Infinity;
  }
}
