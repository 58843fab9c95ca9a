/** The items of a JSON array as their own bytes: what is not parsed is not changed. Pure. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** @param bytes a JSON array in UTF-8, as the service wrote it: without blanks between its tokens */
export function* itemsOf(bytes: Uint8Array): Generator<Uint8Array> {
  let depth = 0;
  let start = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
    } else if (OPENING.has(byte)) {
      depth++;
    } else if (CLOSING.has(byte)) {
      depth--;
      if (depth === 0 && at > start) yield bytes.subarray(start, at);
    } else if (byte === COMMA && depth === 1) {
      yield bytes.subarray(start, at);
      start = at + 1;
    }
  }
}

/** The place of the quote that ends the string begun at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; ;) {
    at = bytes.indexOf(QUOTE, at + 1);
    if (at === -1) return bytes.length;
    let before = at - 1;
    while (bytes[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
}
