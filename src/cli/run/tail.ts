/** The last bytes of a stream, in memory of a fixed size. */

const CONTINUATION = 0x80;

export class Tail {
  readonly #ring: Buffer;
  #total = 0;

  /** @param bytes how many are kept */
  constructor(bytes: number) {
    this.#ring = Buffer.alloc(bytes);
  }

  push(chunk: Uint8Array): void {
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#ring.length));
    const at = (this.#total + chunk.length - kept.length) % this.#ring.length;
    const first = kept.subarray(0, this.#ring.length - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
    this.#total += chunk.length;
  }

  /** As UTF-8, without the end of a character whose beginning is not kept. What is no UTF-8 becomes U+FFFD. */
  get text(): string {
    if (this.#total <= this.#ring.length) return this.#ring.toString('utf8', 0, this.#total);
    const at = this.#total % this.#ring.length;
    const bytes = Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
    let start = 0;
    while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === CONTINUATION) start++;
    return bytes.toString('utf8', start);
  }
}
