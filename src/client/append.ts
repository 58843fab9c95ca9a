/** Files that only grow, a line a write; and their fsync, gathered in the background. */
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { setTimeout } from './clock.ts';
import type { FsyncPolicy } from './config.ts';

/** How long a written line may wait for its fsync, in milliseconds. */
const FSYNC_DELAY_MS = 50;

const NEWLINE = 0x0a;

export interface AppendOptions {
  /** Nobody else writes to the file, and it must be new. */
  exclusive: boolean;
  policy: FsyncPolicy;
}

export class AppendFile {
  readonly #fd: number;
  readonly #exclusive: boolean;
  /** Identity of the file, to see whether it is still the one its path names. */
  readonly inode: number;
  #bytes = 0;
  /** The file may end within a line. */
  #torn = false;
  /** Flushes under way. */
  #syncing = 0;
  #closed = false;

  /** @throws the system's errors; EEXIST where an exclusive file is there already */
  constructor(path: string, { exclusive, policy }: AppendOptions) {
    const flags =
      (exclusive ? constants.O_WRONLY : constants.O_RDWR) |
      constants.O_CREAT |
      constants.O_APPEND |
      (exclusive ? constants.O_EXCL : 0) |
      (policy === 'always' ? constants.O_SYNC : 0);
    this.#fd = openSync(path, flags, 0o666);
    this.#exclusive = exclusive;
    this.inode = fstatSync(this.#fd).ino;
  }

  /** What this client knows to be in the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends a line by a single write: whoever reads beside sees all of it or, without its end, knows it for torn.
   *
   * @throws the system's error; the next line then stands by itself all the same
   */
  append(line: string): void {
    const bytes = Buffer.from(this.#endsTorn() ? `\n${line}\n` : `${line}\n`);
    let written = 0;
    try {
      // A full disk takes a part; what the second write says is the reason.
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      this.#mend();
      throw error;
    }
    this.#torn = false;
    this.#bytes += written;
  }

  /** Whether the file ends within a line: ours, or one of another process that was killed in its write. */
  #endsTorn(): boolean {
    if (this.#exclusive) return this.#torn;
    const { size } = fstatSync(this.#fd);
    if (size === this.#bytes && !this.#torn) return false;
    this.#bytes = size;
    const last = Buffer.alloc(1);
    return size > 0 && readSync(this.#fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  }

  /** After a failed write: takes the torn part back, where nobody else can have written behind it. */
  #mend(): void {
    this.#torn = true;
    if (!this.#exclusive) return;
    try {
      ftruncateSync(this.#fd, this.#bytes);
      this.#torn = false;
    } catch {
      // Then a line break comes before the next line.
    }
  }

  /** Flushes to the device in the background. */
  sync(done: (error: Error | null) => void): void {
    if (this.#closed) return done(null);
    this.#syncing++;
    fsync(this.#fd, (error) => {
      this.#syncing--;
      if (this.#closed && this.#syncing === 0) closeQuietly(this.#fd);
      done(error);
    });
  }

  syncNow(): void {
    if (!this.#closed) fsyncSync(this.#fd);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor must not be given to another file while a flush of it is under way.
    if (this.#syncing === 0) closeQuietly(this.#fd);
  }
}

/** A close that fails (a quota, a network disk) must not be what ends the agent; the descriptor is gone anyway. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // What was not written has been told by the write or the flush.
  }
}

/** Flushes what was written, once for many lines, within 50 ms, and one flush at a time: a slow disk must not take the threads of the agent. */
export class Syncer {
  readonly #policy: FsyncPolicy;
  readonly #warn: (error: Error) => void;
  readonly #dirty = new Set<AppendFile>();
  /** To be closed when they are flushed. */
  readonly #finished = new Set<AppendFile>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: AppendFile | undefined;

  constructor(policy: FsyncPolicy, warn: (error: Error) => void) {
    this.#policy = policy;
    this.#warn = warn;
  }

  /** Notes that a line was written. */
  written(file: AppendFile): void {
    if (this.#policy !== 'batch') return;
    this.#dirty.add(file);
    this.#schedule();
  }

  /** Forgets a file whose content has no worth any more. */
  forget(file: AppendFile): void {
    this.#dirty.delete(file);
    this.#finished.delete(file);
  }

  /** Closes a file that nobody writes to any more, once it is flushed. */
  finish(file: AppendFile): void {
    if (!this.#dirty.has(file)) return file.close();
    this.#finished.add(file);
    this.#schedule();
  }

  /** Flushes at once, and waits for it; what is just being flushed, too, for its end may not come any more. */
  now(): void {
    if (this.#flushing) this.#dirty.add(this.#flushing);
    for (const file of this.#dirty) {
      try {
        file.syncNow();
      } catch (error) {
        this.#warn(error as Error);
      }
      this.#done(file);
    }
    this.#dirty.clear();
  }

  // Without holding the process: at its exit `now` does the rest.
  #schedule(): void {
    if (this.#flushing) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush([...this.#dirty]);
    }, FSYNC_DELAY_MS).unref();
  }

  /** Flushes these files, one after the other; what is written meanwhile has its turn 50 ms later. */
  #flush(files: AppendFile[]): void {
    const file = files.shift();
    this.#flushing = file;
    if (!file) return this.#dirty.size > 0 ? this.#schedule() : undefined;
    // Delivered and gone by now?
    if (!this.#dirty.delete(file)) return this.#flush(files);
    file.sync((error) => {
      if (error) this.#warn(error);
      if (!this.#dirty.has(file)) this.#done(file);
      this.#flush(files);
    });
  }

  #done(file: AppendFile): void {
    if (this.#finished.delete(file)) file.close();
  }
}
