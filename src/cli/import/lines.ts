/** Lines of a stream, each with its place; memory is bounded by the longest line that is taken. */

export interface Line {
  /** From 1 on. */
  number: number;
  /** Of its first byte in the (decompressed) file. */
  offset: number;
  /** Without the line's end; the first of them only where it is too long. */
  bytes: Uint8Array;
  /** Of all its bytes, without the line's end. */
  length: number;
  /** A line break follows; without one it is the file's last, and may be torn. */
  ended: boolean;
}

const NEWLINE = 0x0a;
/** What is kept of a line that is too long. */
const EXCERPT = 64 * 1024;

/** @returns the lines that each chunk completes */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line[]> {
  let [number, offset, length] = [1, 0, 0];
  let held: Uint8Array[] = [];
  const hold = (part: Uint8Array): void => {
    const fitted = length <= maxBytes;
    length += part.length;
    if (length <= maxBytes) held.push(part);
    else if (fitted) held = [Buffer.concat([...held, part]).subarray(0, EXCERPT)];
  };
  const take = (ended: boolean): Line => {
    const line = { number, offset, bytes: Buffer.concat(held), length, ended };
    number++;
    offset += length + 1;
    length = 0;
    held = [];
    return line;
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      lines.push(take(true));
      start = end + 1;
    }
    hold(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [take(false)];
}
