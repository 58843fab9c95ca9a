/** The backup that always is: every state of a run and every event, a line each, in a file a day. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../directory.ts';
import { AppendFile, type Syncer } from './append.ts';
import { Date, now } from './clock.ts';
import type { FsyncPolicy } from './config.ts';

/** How often it is looked whether someone has taken the file away. */
const LOOK_MS = 1_000;

export class Ndjson {
  readonly #directory: string;
  readonly #policy: FsyncPolicy;
  readonly #syncer: Syncer;
  #file: AppendFile | undefined;
  #path = '';
  #lookedAt = 0;

  constructor(directory: string, policy: FsyncPolicy, syncer: Syncer) {
    this.#directory = directory;
    this.#policy = policy;
    this.#syncer = syncer;
  }

  /** @param json a record's JSON, without its record_type @throws the system's error */
  append(type: 'run' | 'event', json: string): void {
    const file = this.#open();
    file.append(`{"record_type":"${type}",${json.slice(1)}`);
    this.#syncer.written(file);
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#syncer.finish(file);
  }

  #open(): AppendFile {
    const at = now();
    // The clock may be set back.
    if (this.#file && Math.abs(at - this.#lookedAt) < LOOK_MS) return this.#file;
    this.#lookedAt = at;
    const day = new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
    const path = join(this.#directory, `events_${day}.ndjson`);
    if (this.#file && path === this.#path && this.#inPlace()) return this.#file;
    this.close();
    this.#path = path;
    return (this.#file = this.#create());
  }

  #inPlace(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#file?.inode;
  }

  #create(): AppendFile {
    const open = (): AppendFile => new AppendFile(this.#path, { exclusive: false, policy: this.#policy });
    try {
      return open();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      makeDirectory(this.#directory);
      return open();
    }
  }
}
