/** The spool as it lies there: what waits, what was rejected, and whose records they are. */
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../actors/database.ts';
import { isSpoolName, keyOf, listFiles, pathOf, type SpoolEntry, type SpoolState } from '../actors/spool/files.ts';
import { type Line, readLines } from '../actors/spool/lines.ts';
import { describe, systemCode } from '../errors.ts';

export interface OpenFile extends SpoolEntry {
  /** Kept open, for its client may remove it, and the record was there all the same. */
  descriptor: number;
}

const MAX_OPEN = 500;
const REJECTED = '.jsonl.rejected';
const CHUNK = { maxLines: 1_000, maxBytes: 1024 * 1024 };

/** The spool at one moment. */
export class Spool implements Disposable {
  readonly directory: string;
  /** False where there is no such folder. */
  readonly there: boolean;
  /** Files that are not done with. */
  readonly files: OpenFile[] = [];
  /** Files beyond those, or that cannot be opened; what is in them is not known. */
  readonly unopened: string[] = [];
  readonly rejected: string[];
  synced = 0;

  /** @throws the system's error where the folder is there and cannot be read */
  constructor(directory: string) {
    this.directory = directory;
    const names = namesIn(directory);
    this.there = names !== undefined;
    this.rejected = (names ?? []).filter((name) => name.endsWith(REJECTED)).sort();
    if (!names) return;
    this.synced = names.filter((name) => isSpoolName(name) && name.endsWith('.synced')).length;
    const onUnusable = (name: string, why: string): void => void this.unopened.push(`${name}: ${why}`);
    for (const entry of listFiles(directory, false, onUnusable)) this.#open(entry);
  }

  #open(entry: SpoolEntry): void {
    const fileName = `${entry.name}.jsonl.${entry.state}`;
    if (this.files.length === MAX_OPEN) return void this.unopened.push(`${fileName}: one file too many to be read now`);
    try {
      this.files.push({ ...entry, descriptor: openSync(pathOf(this.directory, entry.name, entry.state), 'r') });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.unopened.push(`${fileName}: ${describe(error)}`);
    }
  }

  byState(): Map<SpoolState | 'rejected', number> {
    const counts = new Map<SpoolState | 'rejected', number>();
    for (const { state } of this.files) counts.set(state, (counts.get(state) ?? 0) + 1);
    if (this.synced > 0) counts.set('synced', this.synced);
    if (this.rejected.length > 0) counts.set('rejected', this.rejected.length);
    return counts;
  }

  /** Every line from the stored positions on. */
  forEachWaiting(positions: ReadonlyMap<string, number>, maxLineBytes: number, onLine: (line: Line) => void): void {
    for (const file of this.files) {
      linesOf(file.descriptor, positions.get(keyOf(file)) ?? 0, file.size, maxLineBytes, onLine);
    }
  }

  /** Every rejection, each JSON with the rejected line in `line`. */
  forEachRejected(maxLineBytes: number, onLine: (line: Line) => void): void {
    for (const name of this.rejected) {
      const descriptor = openSync(join(this.directory, name), 'r');
      try {
        linesOf(descriptor, 0, fstatSync(descriptor).size, maxLineBytes, onLine);
      } finally {
        closeSync(descriptor);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.files.splice(0)) closeSync(descriptor);
  }
}

/** How far each file had been stored, by `keyOf`; there are as many as files. */
export function positionsIn(db: Connection): Map<string, number> {
  const rows = db.prepare('SELECT name, inode, position FROM spool_files').raw().all() as [string, string, number][];
  return new Map(rows.map(([name, inode, position]) => [keyOf({ name, inode }), position]));
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function linesOf(
  descriptor: number,
  from: number,
  end: number,
  maxLineBytes: number,
  onLine: (line: Line) => void,
): void {
  for (let at = { position: from, scanned: from }; ;) {
    const { lines, place } = readLines(descriptor, at, { ...CHUNK, end, maxLineBytes, torn: true });
    for (const line of lines) onLine(line);
    if (place.position === at.position && place.scanned === at.scanned) return;
    at = place;
  }
}
