/** The NDJSON backup of this machine's clients, up to where it reached at one moment; memory is bounded by a line. */
import { closeSync, createReadStream, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { type Line, readLines } from '../actors/spool/lines.ts';
import { describe, systemCode } from '../errors.ts';
import { statOf } from './files.ts';

export interface BackupFile {
  path: string;
  /** Bytes at that moment; what is appended later is not read. */
  size: number;
  mtimeMs: number;
}

const NEWLINE = 0x0a;
const CHUNK_LINES = 1_000;
const CHUNK_BYTES = 1024 * 1024;

/** The files of a folder, by their names, which are days; undefined where there is no such folder. */
export function listBackup(directory: string): BackupFile[] | undefined {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const files: BackupFile[] = [];
  for (const name of names.filter((candidate) => /\.ndjson(\.gz)?$/.test(candidate)).sort()) {
    const path = join(directory, name);
    const found = statOf(path);
    if (found?.isFile()) files.push({ path, size: found.size, mtimeMs: found.mtimeMs });
  }
  return files;
}

/**
 * The lines of a file, some at a time; one without its end at the end is a line too.
 *
 * @param maxLineBytes of a longer line only the beginning comes
 * @returns why it could not be read to its end; undefined where it was
 */
export async function readBackup(
  { path, size }: BackupFile,
  maxLineBytes: number,
  onLines: (lines: readonly Line[]) => void,
): Promise<string | undefined> {
  try {
    if (path.endsWith('.gz')) await readCompressed(path, size, maxLineBytes, onLines);
    else readPlain(path, size, maxLineBytes, onLines);
    return undefined;
  } catch (error) {
    return `${path}: ${describe(error)}`;
  }
}

function readPlain(path: string, size: number, maxLineBytes: number, onLines: (lines: readonly Line[]) => void): void {
  const descriptor = openSync(path, 'r');
  try {
    const bounds = { end: size, maxLines: CHUNK_LINES, maxBytes: CHUNK_BYTES, maxLineBytes, torn: true };
    for (let from = { position: 0, scanned: 0 }; ;) {
      const { lines, place } = readLines(descriptor, from, bounds);
      onLines(lines);
      if (place.position === from.position && place.scanned === from.scanned) return;
      from = place;
    }
  } finally {
    closeSync(descriptor);
  }
}

async function readCompressed(
  path: string,
  size: number,
  maxLineBytes: number,
  onLines: (lines: readonly Line[]) => void,
): Promise<void> {
  if (size === 0) return;
  const splitter = new Splitter(maxLineBytes);
  const source = createReadStream(path, { end: size - 1 });
  const unpacked = createGunzip();
  source.once('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  for await (const chunk of unpacked) onLines(splitter.take(chunk as Buffer));
  onLines(splitter.end());
}

/** Cuts a stream into lines, as `readLines` does with a file. */
class Splitter {
  readonly #maxLineBytes: number;
  #held: Buffer[] = [];
  #start = 0;
  #length = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  take(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let done = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, done)) {
      this.#hold(chunk.subarray(done, at));
      lines.push(this.#line(1));
      done = at + 1;
    }
    this.#hold(chunk.subarray(done));
    return lines;
  }

  end(): Line[] {
    return this.#length > 0 ? [this.#line(0)] : [];
  }

  #hold(part: Buffer): void {
    // Of an overlong line nothing more is held; its length tells.
    if (this.#length <= this.#maxLineBytes) this.#held.push(part);
    this.#length += part.length;
  }

  #line(ending: number): Line {
    const next = this.#start + this.#length + ending;
    const line = { offset: this.#start, next, bytes: Buffer.concat(this.#held), length: this.#length };
    this.#held = [];
    this.#start = next;
    this.#length = 0;
    return line;
  }
}
