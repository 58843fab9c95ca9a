/**
 * What can never be stored: `<name>.jsonl.rejected`, one JSON object a line with offset, reason and
 * line. Written and synced before the position moves behind the line, so that a crash in between
 * finds the line there already; the end of the file tells.
 */
import { closeSync, constants, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { readSync, writeSync } from 'node:fs';
import { hash } from 'node:crypto';
import { describe, systemCode } from '../../errors.ts';
import { visibleJson } from '../../run/visible.ts';
import { syncDirectory } from './files.ts';
import type { Line } from './lines.ts';
import { pathOf } from './names.ts';

export interface Rejection {
  line: Line;
  reason: string;
}

/** What became of rejections: how many were new, or why they could not be written, now or ever. */
export type Appended = { written: number } | { failed: string; forever: boolean };

/** With one of these it will not be any other the next time; everything else may pass. */
const FOREVER = /^(EROFS|EACCES|EPERM|EISDIR|ENOTDIR|ELOOP|ENAMETOOLONG)$/;

/** How much of the end is read at the first rejection of a file: more than the rejections of one batch. */
const TAIL_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR } = constants;

export class RejectedFiles {
  readonly #directory: string;
  /** By file the entries, as digests, that may come again: the position has not been stored behind them. */
  readonly #known = new Map<string, Set<string>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Appends what is not there yet, in one write, and syncs it. */
  append(name: string, rejections: readonly Rejection[]): Appended {
    try {
      const known = this.#knownOf(name);
      const entries = rejections.map(entryOf).filter((entry) => !known.has(digestOf(entry)));
      if (entries.length > 0) this.#write(pathOf(this.#directory, name, 'rejected'), `${entries.join('\n')}\n`);
      for (const entry of entries) known.add(digestOf(entry));
      return { written: entries.length };
    } catch (error) {
      return { failed: describe(error), forever: FOREVER.test(systemCode(error) ?? '') };
    }
  }

  /** The position of a file has been stored: what was rejected before it does not come again. */
  stored(name: string): void {
    if (this.#known.has(name)) this.#known.set(name, new Set());
  }

  /** A file is gone. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  #knownOf(name: string): Set<string> {
    let known = this.#known.get(name);
    if (!known) {
      known = new Set(lastLinesOf(pathOf(this.#directory, name, 'rejected')).map(digestOf));
      this.#known.set(name, known);
    }
    return known;
  }

  #write(path: string | Buffer, text: string): void {
    const isNew = !existsSync(path);
    const descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK, 0o666);
    try {
      const { size } = fstatSync(descriptor);
      const bytes = Buffer.from(endsTorn(descriptor, size) ? `\n${text}` : text);
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
        fsyncSync(descriptor);
      } catch (error) {
        // Half an entry must not stay before the next one.
        ftruncateSync(descriptor, size);
        throw error;
      }
    } finally {
      closeSync(descriptor);
    }
    if (isNew) syncDirectory(this.#directory);
  }
}

// Invalid UTF-8 is replaced; an overlong line is its beginning, with its length.
function entryOf({ line, reason }: Rejection): string {
  const text = Buffer.from(line.bytes).toString('utf8');
  const length = line.length > line.bytes.length ? line.length : undefined;
  return visibleJson(JSON.stringify({ offset: line.offset, reason, line: text, length }));
}

const digestOf = (entry: string): string => hash('sha256', entry, 'base64');

/** A kill in the midst of an append leaves an entry without its end. */
function endsTorn(descriptor: number, size: number): boolean {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

function lastLinesOf(path: string | Buffer): string[] {
  if (!existsSync(path)) return [];
  const descriptor = openSync(path, constants.O_RDONLY | O_NONBLOCK);
  try {
    const { size } = fstatSync(descriptor);
    const length = Math.min(size, TAIL_BYTES);
    const tail = Buffer.alloc(length);
    const read = readSync(descriptor, tail, 0, length, size - length);
    return tail.toString('utf8', 0, read).split('\n');
  } finally {
    closeSync(descriptor);
  }
}
