/**
 * What has arrived for the writer, and how much of it goes into one transaction: all that is there when it begins. A small
 * one, for which COMMIT's fixed cost weighs, then also takes what came while it ran. A larger one does not: its commit is
 * the time in which the main thread answers and reads. Pure.
 */
import type { CommandName, Parcel } from '../protocol.ts';

/** Bytes of bodies below which a group takes what comes while it runs: about eight single runs. */
const SMALL_BYTES = 8 * 1024;

/** What must be said before a transaction begins, and so cannot join one. */
const FIRST_ONLY: ReadonlySet<CommandName> = new Set(['reindex']);

export class Inbox {
  /** The next parcel that has come, without waiting for one. */
  readonly #receive: () => Parcel | undefined;
  /** Received and not taken yet. */
  readonly #there: Parcel[] = [];
  #bytes = 0;
  #taken = 0;

  constructor(receive: () => Parcel | undefined) {
    this.#receive = receive;
  }

  /** Whether something is left that did not go into the group. */
  get waits(): boolean {
    return this.#there.length > 0;
  }

  /** Commands that went into the group. */
  get taken(): number {
    return this.#taken;
  }

  /** Puts in what was received otherwise. */
  add(parcel: Parcel): void {
    this.#there.push(parcel);
  }

  /** Begins a group with what is there. @returns its first parcel, or undefined where none waits */
  first(): Parcel | undefined {
    this.#bytes = 0;
    this.#taken = 0;
    this.#fetch();
    return this.#take();
  }

  /** The next parcel that goes into the group; undefined where there is none. */
  readonly next = (): Parcel | undefined => {
    if (!this.waits && this.#bytes < SMALL_BYTES) this.#fetch();
    return this.#there[0] && mustBeFirst(this.#there[0]) ? undefined : this.#take();
  };

  #take(): Parcel | undefined {
    const parcel = this.#there.shift();
    this.#bytes += parcel?.bytes.byteLength ?? 0;
    this.#taken += parcel?.commands.length ?? 0;
    return parcel;
  }

  #fetch(): void {
    for (let parcel = this.#receive(); parcel; parcel = this.#receive()) this.#there.push(parcel);
  }
}

const mustBeFirst = ({ commands }: Parcel): boolean => commands.some(({ name }) => FIRST_ONLY.has(name));
