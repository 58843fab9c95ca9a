/** The spool as it lies there: what waits, what was rejected, and whose records they are. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Connection } from '../actors/database.ts';
import {
  entryOf,
  isSpoolName,
  isSynced,
  keyOf,
  namesIn,
  type SpoolEntry,
  type SpoolState,
} from '../actors/spool/files.ts';
import { isSame, type Mark } from '../actors/spool/fingerprint.ts';
import { type Line, readLines } from '../actors/spool/lines.ts';
import { pathOf, rawPath, textOf } from '../actors/spool/names.ts';
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
  /** Names of files with rejections. */
  readonly rejected: string[];
  synced = 0;
  /** Files in which nothing stands. */
  readonly empty: SpoolEntry[] = [];
  readonly #rejected: (string | Buffer)[];

  /** @throws the system's error where the folder is there and cannot be read */
  constructor(directory: string) {
    this.directory = directory;
    const names = namesOf(directory);
    this.there = names !== undefined;
    const rejected = (names ?? []).filter((name) => name.endsWith(REJECTED)).sort();
    this.rejected = rejected.map(textOf);
    this.#rejected = rejected.map((name) => rawPath(directory, name));
    const spooled = (names ?? []).filter(isSpoolName).sort();
    this.synced = spooled.filter(isSynced).length;
    const onUnusable = (name: string, why: string): void => void this.unopened.push(`${name}: ${why}`);
    for (const name of spooled) {
      const entry = isSynced(name) ? undefined : entryOf(directory, name, onUnusable);
      if (entry) this.#open(entry);
    }
  }

  #open(entry: SpoolEntry): void {
    if (entry.size === 0) return void this.empty.push(entry);
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
    for (const { state } of [...this.files, ...this.empty]) counts.set(state, (counts.get(state) ?? 0) + 1);
    if (this.synced > 0) counts.set('synced', this.synced);
    if (this.rejected.length > 0) counts.set('rejected', this.rejected.length);
    return counts;
  }

  /** From where a file waits: behind what is stored of it, or from its beginning where something else stands there now. */
  waitsFrom(file: OpenFile, marks: ReadonlyMap<string, Mark>): number {
    const mark = marks.get(keyOf(file));
    return mark && mark.position <= file.size && isSame(file.descriptor, mark) ? mark.position : 0;
  }

  /** Every line that waits. */
  forEachWaiting(marks: ReadonlyMap<string, Mark>, maxLineBytes: number, onLine: (line: Line) => void): void {
    for (const file of this.files) {
      linesOf(file.descriptor, this.waitsFrom(file, marks), file.size, maxLineBytes, onLine);
    }
  }

  /** Every rejection, each JSON with the rejected line in `line`. */
  forEachRejected(maxLineBytes: number, onLine: (line: Line) => void): void {
    for (const path of this.#rejected) {
      const descriptor = openSync(path, 'r');
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
export function marksIn(db: Connection): Map<string, Mark> {
  const rows = db.prepare('SELECT name, inode, position, CAST(digest AS TEXT) FROM spool_files').raw().all();
  const marks = (rows as [string, string, number, string | null][]).map(
    ([name, inode, position, digest]) => [keyOf({ name, inode }), { position, digest: digest ?? '' }] as const,
  );
  return new Map(marks);
}

function namesOf(directory: string): string[] | undefined {
  try {
    return namesIn(directory);
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
