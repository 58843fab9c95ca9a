/**
 * Room for bodies that are being received, counted by what their buffers can hold and not by what has come. Small ones have
 * a reserve of their own, so that large ones never keep them out. Pure.
 */

/** Bodies up to this size are small. */
export const SMALL_BYTES = 64 * 1024;

/** What one body takes. */
export interface Held {
  bytes: number;
  place: 'reserve' | 'pool' | undefined;
}

export class Room {
  readonly #limits: Readonly<Record<'reserve' | 'pool', number>>;
  readonly #taken = { reserve: 0, pool: 0 };

  /** @param bytes for all bodies; a quarter of it is added as the reserve for small ones */
  constructor(bytes: number) {
    this.#limits = { pool: bytes, reserve: Math.max(SMALL_BYTES, bytes / 4) };
  }

  /** Makes what a body takes `bytes`. @returns false where there is no room; then nothing has changed */
  hold(held: Held, bytes: number): boolean {
    if (bytes <= SMALL_BYTES && this.#fits('reserve', held, bytes)) return this.#move(held, 'reserve', bytes);
    return this.#fits('pool', held, bytes) && this.#move(held, 'pool', bytes);
  }

  release(held: Held): void {
    if (held.place !== undefined) this.#taken[held.place] -= held.bytes;
    held.place = undefined;
    held.bytes = 0;
  }

  #fits(place: 'reserve' | 'pool', held: Held, bytes: number): boolean {
    const others = this.#taken[place] - (held.place === place ? held.bytes : 0);
    // One body alone always fits; beside others it has half the pool at most.
    if (place === 'pool' && (others === 0 || bytes > this.#limits.pool / 2)) return others === 0;
    return others + bytes <= this.#limits[place];
  }

  #move(held: Held, place: 'reserve' | 'pool', bytes: number): true {
    this.release(held);
    held.place = place;
    held.bytes = bytes;
    this.#taken[place] += bytes;
    return true;
  }
}
