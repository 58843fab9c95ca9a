/** Waits for something to happen in a directory; where it cannot be watched, for the time to be up. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { isSpoolName } from './files.ts';

/** Names remembered of what has happened; the others are found by going through the directory. */
const MAX_NAMES = 1_000;
/** However much happens, and whatever the clock says, no look follows on the last one sooner. */
const THROTTLE_MS = 200;

export class Watch {
  readonly #directory: string;
  readonly #throttleMs: number;
  #watcher: FSWatcher | undefined;
  /** The directory that is watched, for another one may have taken its name. */
  #inode: number | undefined;
  /** Something has happened since the last wait. */
  #stirred = false;
  #names = new Set<string>();
  #waiting: { resolve: () => void; timer: NodeJS.Timeout; at: number } | undefined;

  constructor(directory: string, throttleMs = THROTTLE_MS) {
    this.#directory = directory;
    this.#throttleMs = throttleMs;
  }

  /** Resolves after `ms`, or soon after a spool file has come, grown or gone since the last call resolved. */
  wait(ms: number): Promise<void> {
    this.#listen();
    return new Promise((resolve) => {
      const delay = this.#stirred ? this.#throttleMs : Math.max(this.#throttleMs, ms);
      this.#waiting = { resolve, timer: setTimeout(() => this.#wake(), delay), at: performance.now() + delay };
    });
  }

  /** The raw names of the spool files that have come, grown or gone since the last call, as far as they are known. */
  takeNames(): string[] {
    const names = [...this.#names];
    this.#names.clear();
    return names;
  }

  /** Ends watching, and what waits. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#wake();
  }

  #wake(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting?.resolve();
    this.#waiting = undefined;
    this.#stirred = false;
  }

  #onEvent(fileName: string | null): void {
    if (fileName !== null && !isSpoolName(fileName)) return;
    this.#stirred = true;
    if (fileName !== null && this.#names.size < MAX_NAMES) this.#names.add(fileName);
    const waiting = this.#waiting;
    if (!waiting || waiting.at - performance.now() <= this.#throttleMs) return;
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => this.#wake(), this.#throttleMs);
    waiting.at = performance.now() + this.#throttleMs;
  }

  #listen(): void {
    try {
      const inode = statSync(this.#directory).ino;
      if (this.#watcher && inode === this.#inode) return;
      this.#unlisten();
      this.#watcher = watch(this.#directory, { encoding: 'latin1' }, (_event, fileName) => this.#onEvent(fileName));
      this.#watcher.on('error', () => this.#unlisten());
      this.#inode = inode;
      // What came before the watch began was not told.
      this.#stirred = true;
    } catch {
      // Not there, or no watching here: the time remains.
      this.#unlisten();
    }
  }

  #unlisten(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
