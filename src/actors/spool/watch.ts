/** Waits for something to happen in a directory; where it cannot be watched, for the time to be up. */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { isSpoolName } from './files.ts';

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
      this.#watcher = watch(this.#directory, (_event, fileName) => this.#onEvent(fileName));
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
