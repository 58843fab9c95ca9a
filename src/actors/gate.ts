/**
 * A readers-writer gate in shared memory. In rollback-journal mode a reader blocks COMMIT and COMMIT
 * blocks readers, and SQLite's busy handler is unfair: beside one hot writer, reads waited 2 s. Here
 * the writer shuts the gate around COMMIT only, and readers pass in between: whoever has waited for it to open goes in
 * before it is shut again, however soon that is.
 *
 * Layout, Int32: [0] 1 while the writer holds the gate; then a pair a slot: [state, owner], state that of its reader,
 * owner the reader's thread id (0: free).
 */
const SHUT = 0;
const FIRST_SLOT = 1;
const STATE = 0;
const OWNER = 1;

/** States of a reader. Whoever enters may still find the gate shut; only who is inside has had a turn. */
const OUTSIDE = 0;
const INSIDE = 1;
const ENTERING = 2;
const WAITING = 3;

/** As long as it may take to get a processor. */
const GIVE_WAY_MS = 20;

/** More than the readers ever alive at once: a dying thread may overlap its successor. */
const SLOTS = 16;

export class Gate {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #giveWayMs: number;

  /** @param giveWayMs how long those who waited may take to come in, before it is shut again */
  constructor(
    memory = new SharedArrayBuffer((FIRST_SLOT + 2 * SLOTS) * Int32Array.BYTES_PER_ELEMENT),
    giveWayMs = GIVE_WAY_MS,
  ) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#giveWayMs = giveWayMs;
  }

  /**
   * Shuts the gate and waits until the readers inside have left.
   *
   * @param maxWaitMs after it the writer goes on, and SQLite's busy handler settles the rest
   * @returns whether all had left in time
   */
  shut(maxWaitMs: number): boolean {
    const started = performance.now();
    this.#allPass(WAITING, ENTERING, started + Math.min(this.#giveWayMs, maxWaitMs));
    Atomics.store(this.#words, SHUT, 1);
    return this.#allPass(INSIDE, ENTERING, started + maxWaitMs);
  }

  /** Waits until each slot has been in neither state. @returns false where one still was at the deadline */
  #allPass(one: number, other: number, deadline: number): boolean {
    for (let slot = 0; slot < SLOTS; slot++) {
      const word = FIRST_SLOT + 2 * slot + STATE;
      for (;;) {
        const state = Atomics.load(this.#words, word);
        if (state !== one && state !== other) break;
        const left = deadline - performance.now();
        if (left <= 0 || Atomics.wait(this.#words, word, state, left) === 'timed-out') return false;
      }
    }
    return true;
  }

  /** Lets readers in; also called by the main thread when the writer has died. */
  open(): void {
    Atomics.store(this.#words, SHUT, 0);
    Atomics.notify(this.#words, SHUT);
  }

  /** Takes a slot for a reader thread. @throws RangeError when none is free */
  claim(threadId: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.compareExchange(this.#words, FIRST_SLOT + 2 * slot + OWNER, 0, threadId) === 0) return slot;
    }
    throw new RangeError(`No free reader slot in the gate: ${SLOTS} threads hold one`);
  }

  /** Waits while the gate is shut, then enters. @returns false when it stayed shut for `maxWaitMs` */
  enter(slot: number, maxWaitMs: number): boolean {
    const deadline = performance.now() + maxWaitMs;
    for (;;) {
      this.#set(slot, ENTERING);
      if (Atomics.load(this.#words, SHUT) === 0) {
        this.#set(slot, INSIDE);
        return true;
      }
      this.#set(slot, WAITING);
      const left = deadline - performance.now();
      if (left > 0 && Atomics.wait(this.#words, SHUT, 1, left) !== 'timed-out') continue;
      this.leave(slot);
      return false;
    }
  }

  leave(slot: number): void {
    this.#set(slot, OUTSIDE);
  }

  #set(slot: number, state: number): void {
    const word = FIRST_SLOT + 2 * slot + STATE;
    Atomics.store(this.#words, word, state);
    Atomics.notify(this.#words, word);
  }

  /** Frees the slot of a reader thread that has ended, however it ended. */
  release(threadId: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = FIRST_SLOT + 2 * slot + OWNER;
      if (Atomics.load(this.#words, owner) !== threadId) continue;
      this.leave(slot);
      Atomics.store(this.#words, owner, 0);
    }
  }
}
