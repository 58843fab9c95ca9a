/** How far the writer has stored each file, as far as the spool's thread knows; and when that is of no use any more. */
import type { SpoolFile, SpoolPosition } from '../protocol.ts';
import { keyOf } from './files.ts';
import { type Mark, START } from './fingerprint.ts';

export class KnownPositions {
  readonly #stored: Map<string, SpoolPosition>;
  /** The files that the last look did not find. */
  #missing = new Set<string>();
  #gone: SpoolFile[] = [];

  constructor(positions: readonly SpoolPosition[]) {
    this.#stored = new Map(positions.map((position) => [keyOf(position), position]));
  }

  of(file: SpoolFile): Mark {
    const stored = this.#stored.get(keyOf(file));
    return stored ? { position: stored.position, digest: stored.digest ?? '' } : START;
  }

  set({ name, inode }: SpoolFile, { position, digest }: Mark): void {
    this.#stored.set(keyOf({ name, inode }), { name, inode, position, digest });
  }

  /** A look found these files; others are gone, at the second look: one may miss a file that is just being renamed. */
  found(keys: ReadonlySet<string>): void {
    const missing = new Set<string>();
    for (const [key, { name, inode }] of this.#stored) {
      if (keys.has(key)) continue;
      if (!this.#missing.has(key)) missing.add(key);
      else {
        this.#stored.delete(key);
        this.#gone.push({ name, inode });
      }
    }
    this.#missing = missing;
  }

  /** The files that have gone since the last call. */
  takeGone(): SpoolFile[] {
    return this.#gone.splice(0);
  }
}
