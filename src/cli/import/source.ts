/** What is to be imported, told by its content and never by its name. */
import { closeSync, createReadStream, openSync, readSync, statSync, type Stats } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describe, systemCode, TelemetryError } from '../../errors.ts';

/** Stands for standard input. */
export const STDIN = '-';

const SQLITE = Buffer.from('SQLite format 3\0');
const GZIP = Buffer.from([0x1f, 0x8b]);
const CHUNK = 256 * 1024;

/** A source cannot be taken, whatever is with the others. */
export class SourceError extends TelemetryError {}

export type Source = { kind: 'database'; path: string } | TextSource;

export interface TextSource {
  kind: 'text';
  chunks: AsyncIterable<Uint8Array>;
  /** Of the file as it lies there; undefined where that cannot be told. */
  bytes: number | undefined;
  bytesRead: () => number;
  /** Why the compressed data ended before its end; undefined where it did not. Known once the chunks are. */
  damage: () => string | undefined;
}

/** Whether all of them can be read, before anything is sent. @throws TelemetryError naming the first that cannot */
export function checkSources(names: readonly string[]): void {
  for (const name of names) {
    const found = name === STDIN ? undefined : statOf(name);
    if (found?.isDirectory()) {
      throw new SourceError(
        'refused',
        `${name} is a folder. Name its files, such as ${name.replace(/(?<!\/)\/+$/, '')}/*.ndjson.`,
      );
    }
  }
}

function statOf(name: string): Stats {
  try {
    return statSync(name);
  } catch (error) {
    throw unreadable(name, error);
  }
}

/**
 * Opens a source.
 *
 * HAZARD: a database is looked at by `fs` here, once and at its beginning. That is safe only as long as this process has no
 * connection to it; the caller has made sure that it is not the target.
 */
export async function openSource(name: string): Promise<Source> {
  const found = name === STDIN ? undefined : statOf(name);
  if (found?.isFile() && beginningOf(name).equals(SQLITE)) return { kind: 'database', path: name };
  const input = name === STDIN ? process.stdin : createReadStream(name, { highWaterMark: CHUNK });
  let bytesRead = 0;
  let damage: string | undefined;
  async function* raw(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of input as AsyncIterable<Uint8Array>) {
        bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw unreadable(name, error);
    }
  }
  async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: CHUNK });
    // What goes wrong is thrown where the chunks are read.
    pipeline(Readable.from(chunks, { objectMode: false }), gunzip, () => undefined);
    try {
      for await (const chunk of gunzip as AsyncIterable<Uint8Array>) yield chunk;
    } catch (error) {
      if (!systemCode(error)?.startsWith('Z_')) throw error;
      damage = describe(error);
    }
  }
  const bytes = found?.isFile() ? found.size : undefined;
  const textSource = (chunks: AsyncIterable<Uint8Array>): TextSource => ({
    kind: 'text',
    chunks,
    bytes,
    bytesRead: () => bytesRead,
    damage: () => damage,
  });
  const [first, chunks] = await peeked(raw());
  refuseDatabase(name, first, 'Name its file instead.');
  if (!startsWith(first, GZIP)) return textSource(chunks);
  const [text, texts] = await peeked(decompressed(chunks));
  refuseDatabase(name, text, 'Decompress it, then name the file.');
  return textSource(texts);
}

function beginningOf(path: string): Buffer {
  const beginning = Buffer.alloc(SQLITE.length);
  try {
    const descriptor = openSync(path, 'r');
    try {
      return beginning.subarray(0, readSync(descriptor, beginning, 0, beginning.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

const startsWith = (bytes: Buffer, beginning: Buffer): boolean => bytes.subarray(0, beginning.length).equals(beginning);

function refuseDatabase(name: string, bytes: Buffer, remedy: string): void {
  if (!startsWith(bytes, SQLITE)) return;
  const what = name === STDIN ? 'Standard input' : name;
  throw new SourceError('refused', `${what} is a database that cannot be read as a stream. ${remedy}`);
}

/** The first bytes, and all chunks with them. */
async function peeked(chunks: AsyncGenerator<Uint8Array>): Promise<[Buffer, AsyncIterable<Uint8Array>]> {
  const seen: Uint8Array[] = [];
  let size = 0;
  while (size < SQLITE.length) {
    const next = await chunks.next();
    if (next.done) break;
    seen.push(next.value);
    size += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* seen.splice(0);
    yield* chunks;
  }
  return [Buffer.concat(seen), all()];
}

const unreadable = (name: string, error: unknown): SourceError =>
  new SourceError(
    'refused',
    `${name === STDIN ? 'Standard input' : name} cannot be read: ${describe(error)}. Check the path and the permissions.`,
    {
      cause: error,
    },
  );
