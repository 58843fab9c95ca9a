/**
 * Goes through a directory of any size, some files at a time, and on where it stopped. A file with nothing to read is quiet:
 * it is looked at only now and then, so that very many of them hold up no other.
 */
import { type Dir, opendirSync } from 'node:fs';
import { entryOf, isSpoolName, isSynced, keyOf, type OnUnusable, type SpoolEntry } from './files.ts';

export interface Portion {
  entries: SpoolEntry[];
  /** The directory has been gone through: these are all its files, by their keys. */
  ended: ReadonlySet<string> | undefined;
}

export interface RosterOptions {
  directory: string;
  onUnusable: OnUnusable;
  /** How many files are looked at in one go. */
  portion?: number;
  /** How many quiet ones a round looks at. */
  quietARound?: number;
}

interface Round {
  directory: Dir;
  /** Keys of the files that are there. */
  seen: Set<string>;
  synced: boolean;
}

const PORTION = 1_000;
/** Those that were not looked at for longest. */
const QUIET_A_ROUND = 5_000;
/** Quiet files remembered; others are looked at in every round. */
const MAX_QUIET = 200_000;

export class Roster {
  readonly #options: RosterOptions;
  readonly #portion: number;
  /** By raw name the key of its file. */
  readonly #quiet = new Map<string, string>();
  #round: Round | undefined;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#portion = options.portion ?? PORTION;
  }

  /** In the midst of a round. */
  get isUnderWay(): boolean {
    return this.#round !== undefined;
  }

  /**
   * The next files of the directory, sorted by name as far as they come together.
   *
   * @param synced whether a round that begins now is for those that are done with, too
   * @throws the system's error where the directory cannot be read; the next call begins anew
   */
  next(synced: boolean): Portion {
    const round = (this.#round ??= this.#begin(synced));
    const names: string[] = [];
    let ended = false;
    try {
      while (names.length < this.#portion && !ended) {
        const raw = round.directory.readSync()?.name;
        if (raw === undefined) ended = true;
        else if (isSpoolName(raw) && (round.synced || !isSynced(raw)) && !this.#isQuiet(raw, round.seen))
          names.push(raw);
      }
    } catch (error) {
      this.close();
      throw error;
    }
    const entries = this.#entries(names.sort());
    if (ended) this.close();
    return { entries, ended: ended ? round.seen : undefined };
  }

  /** These files, whatever is known of them. */
  named(raws: readonly string[]): SpoolEntry[] {
    return this.#entries(raws.filter((raw) => isSpoolName(raw) && !isSynced(raw)).sort());
  }

  /** There was nothing to read in a file, and nothing else to do. */
  isQuiet(entry: SpoolEntry): void {
    if (this.#quiet.size < MAX_QUIET) this.#quiet.set(entry.raw, keyOf(entry));
  }

  close(): void {
    const round = this.#round;
    this.#round = undefined;
    round?.directory.closeSync();
  }

  #begin(synced: boolean): Round {
    const { directory, quietARound = QUIET_A_ROUND } = this.#options;
    const opened = opendirSync(directory, { encoding: 'latin1', bufferSize: PORTION });
    let left = quietARound;
    for (const raw of this.#quiet.keys()) {
      if (left-- === 0) break;
      this.#quiet.delete(raw);
    }
    return { directory: opened, seen: new Set(), synced };
  }

  #isQuiet(raw: string, seen: Set<string>): boolean {
    const key = this.#quiet.get(raw);
    if (key !== undefined) seen.add(key);
    return key !== undefined;
  }

  #entries(raws: readonly string[]): SpoolEntry[] {
    const entries: SpoolEntry[] = [];
    for (const raw of raws) {
      this.#quiet.delete(raw);
      const entry = entryOf(this.#options.directory, raw, this.#options.onUnusable);
      if (!entry) continue;
      if (entry.state !== 'synced') this.#round?.seen.add(keyOf(entry));
      entries.push(entry);
    }
    return entries;
  }
}
