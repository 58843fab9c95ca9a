/**
 * Answers that may be large are made in turn, and only where there is room for them then: asked for all at once, they would be
 * made in vain, and hold up those who ask for little.
 */
import type { Socket } from 'node:net';
import { Semaphore } from 'async-mutex';
import { tooMuchUnread, type Unsent } from './unsent.ts';

/** Room for as much is wanted before one is made; how large it is shows afterwards. */
const WANTED_BYTES = 8 * 1024 * 1024;

interface Bounds {
  atOnce: number;
  waiting: number;
}

export class Turns {
  readonly #unsent: Unsent;
  readonly #bounds: Bounds;
  readonly #turn: Semaphore;
  #waiting = 0;

  constructor(unsent: Unsent, bounds: Bounds) {
    this.#unsent = unsent;
    this.#bounds = bounds;
    this.#turn = new Semaphore(bounds.atOnce);
  }

  /** @throws TelemetryError "busy" where too many wait, or the client or all have too much to read */
  async take<T>(socket: Socket, make: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#bounds.waiting) throw tooMuchUnread();
    this.#waiting++;
    try {
      return await this.#turn.runExclusive(() => {
        if (!this.#unsent.takes(socket, WANTED_BYTES)) throw tooMuchUnread();
        return make();
      });
    } finally {
      this.#waiting--;
    }
  }
}
