/** How long text may be, and what becomes of longer text. Bounds are bytes of UTF-8. Pure. */
import { sha256 } from './sha256.ts';

/** Of what a run or an agent is known by: indexes, addresses and metrics carry it. */
export const MAX_ID = 512;
/** Of other short text that lists filter by, or that something is derived from. */
export const MAX_SHORT_TEXT = 2_048;

const CUT = '…';
const CUT_BYTES = 3;
/** Stands between the beginning of a long id and the digest of the whole. */
const DIGEST_MARK = '-sha256-';
const DIGEST_LENGTH = 64;

/** Whether a text has at most so many bytes. A character has at most three for each unit of its length, so most need no count. */
export function fits(text: string, max: number): boolean {
  return text.length * 3 <= max || (text.length <= max && Buffer.byteLength(text) <= max);
}

/** A text over its bound as its beginning and `…`; any other as it is. */
export function cutText(text: string, max: number): string {
  return fits(text, max) ? text : beginning(text, max - CUT_BYTES) + CUT;
}

/**
 * An id over its bound as its beginning and the SHA-256 of the whole, so that two ids stay two; any other as it is.
 * The same id has the same short form wherever it comes in.
 *
 * @param id well-formed
 */
export function shortId(id: string): string {
  if (fits(id, MAX_ID)) return id;
  return beginning(id, MAX_ID - DIGEST_MARK.length - DIGEST_LENGTH) + DIGEST_MARK + sha256(id);
}

/** As many whole characters from the start as have at most `bytes` bytes. */
function beginning(text: string, bytes: number): string {
  // More to come, it is told: so it leaves out a character of which only a part is there. One unit more, for the slice may part a pair.
  const some = new TextEncoder().encode(text.slice(0, bytes + 1)).subarray(0, bytes);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(some, { stream: true });
}
