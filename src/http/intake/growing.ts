/** A body while it comes: one buffer that grows, into which chunks are copied and let go. Pure. */
import { TelemetryError } from '../../errors.ts';
import { HttpError } from '../errors.ts';
import { type Held, SMALL_BYTES } from './room.ts';

const FIRST_BYTES = 4 * 1024;
/** Each chunk keeps the main thread for microseconds, whatever is in it: where they are many, they have so many bytes on average. */
const FEW_CHUNKS = 10_000;
const LEAST_CHUNK_BYTES = 16;

export interface Body {
  /** The most it may have. */
  limit: number;
  /** What the client says it has; 0 where it does not say. */
  announced: number;
  /** What it takes beside its buffer. */
  beside: number;
  /** Called before the buffer is made larger. @throws TelemetryError where there is no room */
  hold: (held: Held, bytes: number) => void;
}

export class Growing {
  readonly held: Held = { bytes: 0, place: undefined };
  readonly #body: Body;
  #buffer: ArrayBuffer | undefined;
  /** The body as it came, where it came in one. */
  #whole: Uint8Array | undefined;
  #size = 0;
  #chunks = 0;

  constructor(body: Body) {
    this.#body = body;
    if (body.beside > 0) body.hold(this.held, body.beside);
  }

  get size(): number {
    return this.#size;
  }

  /** @throws TelemetryError "too_large", or "busy" where there is no room; HttpError 400 for dust */
  add(chunk: Uint8Array): void {
    const { limit, announced, hold } = this.#body;
    const size = this.#size + chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    if (++this.#chunks > FEW_CHUNKS && size < this.#chunks * LEAST_CHUNK_BYTES) throw tooFine();
    if (this.#size === 0 && size === announced) {
      hold(this.held, size);
      this.#whole = chunk;
    } else {
      const buffer = size > (this.#buffer?.byteLength ?? 0) ? this.#grow(size) : (this.#buffer as ArrayBuffer);
      new Uint8Array(buffer).set(chunk, this.#size);
    }
    this.#size = size;
  }

  /** All that came; call it once. */
  take(): Uint8Array {
    const buffer = this.#buffer ?? new ArrayBuffer(0);
    return this.#whole ?? new Uint8Array(buffer.byteLength === this.#size ? buffer : buffer.transfer(this.#size));
  }

  drop(): void {
    this.#buffer = undefined;
    this.#whole = undefined;
  }

  #grow(needed: number): ArrayBuffer {
    const { limit, announced, beside, hold } = this.#body;
    // What is announced is believed as far as it is small: for the rest the client has to send something first.
    const first = announced > 0 ? Math.min(announced, SMALL_BYTES) : FIRST_BYTES;
    const doubled = Math.max(first, 2 * (this.#buffer?.byteLength ?? 0));
    const capacity = Math.max(needed, Math.min(doubled, announced || limit));
    hold(this.held, capacity + beside);
    // The smaller one is freed at once, and not when garbage is collected.
    return (this.#buffer = this.#buffer?.transfer(capacity) ?? new ArrayBuffer(capacity));
  }
}

function tooFine(): HttpError {
  const why = `The body comes in chunks of less than ${LEAST_CHUNK_BYTES} bytes. Send it in larger ones.`;
  // Not even to be dropped: that would cost as much.
  return new HttpError(400, why, { Connection: 'close' });
}

export function tooLarge(limit: number): TelemetryError {
  return new TelemetryError('too_large', `The body is larger than the ${limit} bytes taken here. Send it in parts.`);
}
