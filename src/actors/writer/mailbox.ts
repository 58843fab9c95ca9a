/** Commands that wait for the writer: bounded, in order, taken a group at a time. Pure. */
export interface MailboxLimits {
  maxCommands: number;
  maxBytes: number;
}

export class Mailbox<T extends { bytes: number }> {
  readonly limits: MailboxLimits;
  #items: T[] = [];
  #bytes = 0;

  constructor(limits: MailboxLimits) {
    this.limits = limits;
  }

  get depth(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false where it is full; one command always fits into an empty mailbox */
  offer(item: T): boolean {
    const full = this.#items.length >= this.limits.maxCommands || this.#bytes + item.bytes > this.limits.maxBytes;
    if (full && this.#items.length > 0) return false;
    this.#items.push(item);
    this.#bytes += item.bytes;
    return true;
  }

  /** Takes the oldest commands within both bounds, at least one where there is any. */
  take(maxCommands: number, maxBytes: number): T[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#items) {
      if (count > 0 && (count >= maxCommands || bytes + item.bytes > maxBytes)) break;
      bytes += item.bytes;
      count++;
    }
    this.#bytes -= bytes;
    return this.#items.splice(0, count);
  }

  takeAll(): T[] {
    this.#bytes = 0;
    return this.#items.splice(0);
  }
}
