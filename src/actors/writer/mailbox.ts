/**
 * Commands that are not yet answered, in order: those that the writer works on, then those that wait, which are bounded.
 * Of these some are sent ahead, so that the writer finds them when it is done; it may add them to what it works on. Pure.
 */
export interface MailboxLimits {
  maxCommands: number;
  maxBytes: number;
}

interface Size {
  commands: number;
  bytes: number;
}

const NOTHING: Size = { commands: 0, bytes: 0 };

export class Mailbox<T extends { bytes: number }> {
  readonly limits: MailboxLimits;
  readonly #sendable: MailboxLimits;
  #items: T[] = [];
  #bytes = 0;
  /** At the front of the items: what is with the writer, and of that, what it works on as far as is known. */
  #sent: Size = NOTHING;
  #worked: Size = NOTHING;
  /** When the writer was last without work, or had answered. */
  #since = 0;

  /**
   * @param limits for what waits
   * @param sendable what may be with the writer at once, and so in one transaction
   */
  constructor(limits: MailboxLimits, sendable: MailboxLimits) {
    this.limits = limits;
    this.#sendable = sendable;
  }

  /** Commands that wait. */
  get depth(): number {
    return this.#items.length - this.#worked.commands;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes - this.#worked.bytes;
  }

  /** Whether everything has been answered. */
  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Commands that are not with the writer yet. */
  get unsent(): number {
    return this.#items.length - this.#sent.commands;
  }

  /** Whether the writer has something to work on. */
  get isBusy(): boolean {
    return this.#sent.commands > 0;
  }

  /** Milliseconds since the writer began with what it works on; 0 where it has nothing. */
  busyFor(now = performance.now()): number {
    return this.isBusy ? now - this.#since : 0;
  }

  /** @returns false where it is full; one command always fits where none waits */
  offer(item: T): boolean {
    const full = this.depth >= this.limits.maxCommands || this.bytes + item.bytes > this.limits.maxBytes;
    if (full && this.depth > 0) return false;
    this.#items.push(item);
    this.#bytes += item.bytes;
    return true;
  }

  /** What may go to the writer now: the oldest within what may be there at once, one at least where nothing is. */
  send(now = performance.now()): T[] {
    const idle = !this.isBusy;
    let { commands, bytes } = this.#sent;
    for (const item of this.#items.slice(commands, this.#sendable.maxCommands)) {
      if (commands > 0 && bytes + item.bytes > this.#sendable.maxBytes) break;
      bytes += item.bytes;
      commands++;
    }
    const items = this.#items.slice(this.#sent.commands, commands);
    this.#sent = { commands, bytes };
    if (!idle) return items;
    this.#worked = this.#sent;
    this.#since = now;
    return items;
  }

  /** Takes the oldest `count`, which the writer has answered; it goes on with what else is there. */
  answered(count: number, now = performance.now()): T[] {
    const items = this.#items.splice(0, count);
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    this.#bytes -= bytes;
    this.#sent = { commands: this.#sent.commands - count, bytes: this.#sent.bytes - bytes };
    this.#worked = this.#sent;
    this.#since = now;
    return items;
  }

  /** Takes all: nobody works on them any more. */
  takeAll(): T[] {
    this.#bytes = 0;
    this.#sent = NOTHING;
    this.#worked = NOTHING;
    return this.#items.splice(0);
  }
}
