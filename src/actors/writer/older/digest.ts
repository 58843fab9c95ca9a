/** What rows hold, as one SHA-256, so that what is read back can be compared with what was written. */
import { createHash } from 'node:crypto';

const BATCH = 256 * 1024;

export class Digest {
  readonly #hash = createHash('sha256');
  #batch = '';

  /** A row of text, integers up to 2^53 and nulls. */
  add(row: readonly unknown[]): void {
    this.#batch += JSON.stringify(row);
    if (this.#batch.length > BATCH) this.#flush();
  }

  /** A row of anything that SQLite stores; integers alike whether they come as bigints or not. */
  addAny(row: readonly unknown[]): void {
    this.add(row.map(exact));
  }

  /** Ends it. */
  hex(): string {
    this.#flush();
    return this.#hash.digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#batch);
    this.#batch = '';
  }
}

function exact(value: unknown): unknown {
  if (typeof value === 'bigint') return { integer: String(value) };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { integer: String(value) } : { real: String(value) };
  return value instanceof Uint8Array ? { blob: Buffer.from(value).toString('base64') } : value;
}
