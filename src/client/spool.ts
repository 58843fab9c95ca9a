/**
 * What is not yet delivered, on disk: each state of a run is appended before anything is sent, and a
 * file goes when all in it has been acknowledged. So a kill at any instant loses nothing recorded.
 */
import { fsync, fsyncSync, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../directory.ts';
import { AppendFile, closeQuietly, type Syncer } from './append.ts';
import { timestamp } from './clock.ts';
import type { FsyncPolicy } from './config.ts';
import { randomHex } from './run-ids.ts';

/** A spool file of this client. `.live` while it is written to, `.sealed` when nobody will any more. */
export class SpoolFile {
  readonly stem: string;
  readonly file: AppendFile;
  path: string;
  /** Lines whose delivery has not been acknowledged. */
  outstanding = 0;
  /** Holds lines that memory does not: they are read back once the service takes more. */
  unread = false;
  /** Gone: delivered, or taken away by someone. */
  gone = false;

  constructor(directory: string, stem: string, policy: FsyncPolicy) {
    this.stem = stem;
    this.path = join(directory, `${stem}.jsonl.live`);
    this.file = new AppendFile(this.path, { exclusive: true, policy });
  }

  /** Whether the path still names this file: others may take away what seems abandoned. */
  get inPlace(): boolean {
    try {
      return statSync(this.path, { throwIfNoEntry: false })?.ino === this.file.inode;
    } catch {
      // Not to be seen is not gone.
      return true;
    }
  }
}

export interface SpoolOptions {
  directory: string;
  maxFileBytes: number;
  policy: FsyncPolicy;
  syncer: Syncer;
}

export class Spool {
  readonly directory: string;
  readonly #options: SpoolOptions;
  readonly #files = new Set<SpoolFile>();
  #current: SpoolFile | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.directory = options.directory;
  }

  /** Files of this client that are not delivered yet. */
  get files(): ReadonlySet<SpoolFile> {
    return this.#files;
  }

  /**
   * Appends a record; when this returns, a killed process does not lose it.
   *
   * @returns the file that holds it now @throws the system's error; nothing is stored then
   */
  append(text: string): SpoolFile {
    let file = this.#write(text);
    // Taken away before this line was in it? Whoever takes a file reads it after the renaming, so a
    // line that is in place after its writing is seen by them; this one might not be.
    for (let attempt = 1; !file.inPlace && attempt < 3; attempt++) {
      this.#drop(file);
      file = this.#write(text);
    }
    file.outstanding++;
    if (file.file.bytes >= this.#options.maxFileBytes) this.seal();
    return file;
  }

  /** So many lines of the file have been acknowledged, or need no delivery any more. */
  retire(file: SpoolFile, lines: number): void {
    file.outstanding -= lines;
    if (file.outstanding === 0) this.remove(file);
  }

  /** Removes a file whose lines are all delivered. */
  remove(file: SpoolFile): void {
    if (file.gone) return;
    this.#drop(file);
    try {
      unlinkSync(file.path);
    } catch {
      // Taken away, or not removable: then it is delivered once more, which changes nothing.
    }
  }

  /** Ends the current file: the next record begins another, and anyone may take this one. */
  seal(): void {
    const file = this.#current;
    if (!file) return;
    this.#current = undefined;
    const sealed = join(this.directory, `${file.stem}.jsonl.sealed`);
    try {
      if (file.inPlace) renameSync(file.path, sealed);
      file.path = sealed;
    } catch {
      // It stays `.live`, and is taken for abandoned in time.
    }
    this.#options.syncer.finish(file.file);
  }

  #write(text: string): SpoolFile {
    const file = (this.#current ??= this.#create());
    try {
      file.file.append(text);
    } catch (error) {
      // A file that a full disk let us make, but not write to.
      if (file.outstanding === 0) this.remove(file);
      throw error;
    }
    this.#options.syncer.written(file.file);
    return file;
  }

  #create(): SpoolFile {
    const time = timestamp().replace(/[-:]|\.\d+Z/g, '');
    const open = (): SpoolFile =>
      new SpoolFile(this.directory, `telemetry_${time}_${randomHex(8)}`, this.#options.policy);
    let file: SpoolFile;
    try {
      file = open();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      makeDirectory(this.directory);
      file = open();
    }
    this.#files.add(file);
    if (this.#options.policy !== 'off') syncDirectory(this.directory, this.#options.policy === 'always');
    return file;
  }

  #drop(file: SpoolFile): void {
    if (this.#current === file) this.#current = undefined;
    file.gone = true;
    this.#files.delete(file);
    this.#options.syncer.forget(file.file);
    file.file.close();
  }
}

/** A new file outlasts a power cut once its directory has been flushed: in the background, unless it is to be waited for. */
function syncDirectory(directory: string, wait: boolean): void {
  let descriptor: number;
  try {
    descriptor = openSync(directory, 'r');
  } catch {
    // Windows cannot open a directory.
    return;
  }
  if (!wait) return fsync(descriptor, () => closeQuietly(descriptor));
  try {
    fsyncSync(descriptor);
  } catch {
    // Not every file system can; the record itself is flushed by its write.
  } finally {
    closeQuietly(descriptor);
  }
}
