/** Where an export goes: stdout as it comes, or a file that has its name only once it is complete and on disk. */
import { statSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { describe, TelemetryError } from '../../errors.ts';
import type { Terminal } from '../terminal.ts';
import { makeWhole, NameTaken } from './partial.ts';

export interface OutputOptions {
  /** Undefined for stdout. */
  path: string | undefined;
  gzip: boolean;
  /** May take the place of a file. */
  force: boolean;
  /** The database, which it never may. */
  database: string;
}

type Chunks = AsyncIterable<string | Uint8Array>;

/**
 * Writes all of it, no faster than it can be taken.
 *
 * @throws TelemetryError where the file is there already or cannot be written; what the chunks throw. Nothing is left behind then
 */
export async function writeOut(chunks: Chunks, options: OutputOptions, terminal: Terminal): Promise<void> {
  const { path, gzip, force } = options;
  const through = gzip ? [createGzip()] : [];
  const source = Readable.from(chunks, { objectMode: false });
  if (path === undefined) return pipeline([source, ...through, sinkOf(terminal)]);
  const mayReplace = (): boolean => {
    refuseToReplace(path, options);
    return force;
  };
  try {
    mayReplace();
    await makeWhole(path, (file) => pipeline([source, ...through, file.createWriteStream()]), mayReplace);
  } catch (error) {
    if (error instanceof NameTaken) throw taken(path);
    throw error instanceof TelemetryError ? error : unwritable(path, error);
  }
}

function sinkOf(terminal: Terminal): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      terminal.write(chunk).then(() => done(), done);
    },
  });
}

function refuseToReplace(path: string, { force, database }: OutputOptions): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  const live = statSync(database, { throwIfNoEntry: false });
  const why = (remedy: string): TelemetryError => new TelemetryError('refused', `${path} ${remedy}`);
  if (live?.dev === found.dev && live.ino === found.ino)
    throw why('is the database itself. Name another file in --output.');
  if (!found.isFile()) throw why('is not a file. Name a file in --output; without it the runs go to stdout.');
  if (!force) throw taken(path);
}

const taken = (path: string): TelemetryError =>
  new TelemetryError(
    'refused',
    `${path} is there already and was left as it is. Name another file in --output, or add --force to replace it.`,
  );

const unwritable = (path: string, error: unknown): TelemetryError =>
  new TelemetryError(
    'refused',
    `${path} cannot be written: ${describe(error)}. Free space, or name another place in --output.`,
    {
      cause: error,
    },
  );
