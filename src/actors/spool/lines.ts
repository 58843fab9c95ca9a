/** Complete lines of a file from a position on; memory is bounded by the longest line that is taken. */
import { readSync } from 'node:fs';

export interface Line {
  /** Where it begins in the file, and where the next one does. */
  offset: number;
  next: number;
  /** Its bytes without the line's end; the first of them only where it is too long. */
  bytes: Uint8Array;
  /** Of all its bytes, without the line's end. */
  length: number;
}

/** A place in a file: lines are read up to `position`; from there to `scanned` no line ends. */
export interface Place {
  position: number;
  scanned: number;
}

export interface LineBounds {
  /** Where reading stops, in bytes from the file's beginning. */
  end: number;
  maxLines: number;
  /** The lines of one call hold no more than this together, unless it is one. */
  maxBytes: number;
  /** A longer line is read through without holding it. */
  maxLineBytes: number;
  /** What stands at `end` without a line's end is a line too. */
  torn?: boolean;
}

const NEWLINE = 0x0a;
const CHUNK = 64 * 1024;
/** What is shown of a line that is too long. */
const EXCERPT = 64 * 1024;
/** How much of one overlong line a call reads through: others are waiting. */
const MAX_SCANNED = 32 * 1024 * 1024;

/** @throws the system's error where the file cannot be read */
export function readLines(descriptor: number, from: Place, bounds: LineBounds): { lines: Line[]; place: Place } {
  const lines: Line[] = [];
  let start = from.position;
  let held: Uint8Array[] = [];
  let bytes = 0;
  // Known to be overlong already: nothing of it is held, so nothing is read again.
  let at = from.scanned - start > bounds.maxLineBytes ? from.scanned : start;
  const stop = Math.min(bounds.end, at + Math.max(bounds.maxBytes, bounds.maxLineBytes) + MAX_SCANNED);
  const add = (end: number, next: number): void => {
    const length = end - start;
    const overlong = length > bounds.maxLineBytes;
    const line = overlong ? readAt(descriptor, start, Math.min(length, EXCERPT)) : Buffer.concat(held);
    lines.push({ offset: start, next, bytes: line, length });
    bytes += line.length;
    held = [];
    start = next;
  };
  while (at < stop && lines.length < bounds.maxLines && (bytes < bounds.maxBytes || lines.length === 0)) {
    const chunk = readAt(descriptor, at, Math.min(CHUNK, stop - at));
    if (chunk.length === 0) break;
    let done = 0;
    while (lines.length < bounds.maxLines && bytes < bounds.maxBytes) {
      const newline = chunk.indexOf(NEWLINE, done);
      if (newline === -1) break;
      held.push(chunk.subarray(done, newline));
      add(at + newline, at + newline + 1);
      done = newline + 1;
    }
    at += chunk.length;
    if (at - start > bounds.maxLineBytes) held = [];
    else held.push(chunk.subarray(done));
  }
  const more = lines.length < bounds.maxLines && bytes < bounds.maxBytes;
  if (bounds.torn && more && at === bounds.end && at > start) add(at, at);
  return { lines, place: { position: start, scanned: more ? Math.max(at, start) : start } };
}

export function readAt(descriptor: number, position: number, length: number): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const count = readSync(descriptor, buffer, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return buffer.subarray(0, read);
}
