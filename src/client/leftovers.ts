/**
 * Reads back what lies on disk only: this client's own overflow, and files of processes that died
 * before they could deliver. The service may do the same meanwhile.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { takeAbandoned } from './abandoned.ts';
import { now } from './clock.ts';
import { type Guard, reasonOf } from './guard.ts';
import { redeliver } from './redelivery.ts';
import type { Verdict } from './requests.ts';
import type { Spool, SpoolFile } from './spool.ts';
import type { Transport } from './transport.ts';

/** How often it is looked for files of others. */
const LOOK_MS = 5 * 60_000;
/** Lines sent at once: few, for they are parsed on the agent's thread. */
const MAX_LINES = 100;
const CHUNK_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** Paths remembered that could not be removed, so that they are not delivered time and again. */
const MAX_DONE = 1_000;

const NEWLINE = 0x0a;
const STORED: Verdict = { kind: 'stored' };

interface Reading {
  path: string;
  handle: FileHandle;
  position: number;
  /** Of this client; undefined for a file of others. */
  own: SpoolFile | undefined;
}

export interface LeftoversOptions {
  spool: Spool;
  guard: Guard;
  /** Keeps a line that can never be delivered. */
  reject: (path: string, line: string, reason: string) => void;
  now?: () => number;
}

export class Leftovers {
  readonly #options: LeftoversOptions;
  readonly #now: () => number;
  /** In the midst of a step, in which nothing else may be known to be pending. */
  #stepping = false;
  #reading: Reading | undefined;
  #abandoned: string[] = [];
  readonly #done = new Set<string>();
  #lookedAt = -Infinity;

  constructor(options: LeftoversOptions) {
    this.#options = options;
    this.#now = options.now ?? now;
  }

  /** Whether this client has records on disk that memory does not hold. */
  get ownPending(): boolean {
    return this.#ownUnread() !== undefined;
  }

  get pending(): boolean {
    const found = this.#reading !== undefined || this.#abandoned.length > 0;
    return this.#stepping || found || this.ownPending || this.#lookIsDue();
  }

  /** Sends the next lines of the next file. @throws where there is no answer */
  async step(transport: Transport): Promise<Verdict> {
    this.#stepping = true;
    try {
      return await this.#step(transport);
    } finally {
      this.#stepping = false;
    }
  }

  async #step(transport: Transport): Promise<Verdict> {
    const reading = (this.#reading ??= await this.#next());
    if (!reading) return STORED;
    let portion: Portion;
    try {
      portion = await readPortion(reading);
    } catch (error) {
      await this.#giveUp(reading, error);
      return STORED;
    }
    const { verdict, rejected } = await redeliver(portion.lines, transport);
    if (verdict.kind !== 'stored') return verdict;
    for (const { line, reason } of rejected) this.#options.reject(reading.path, line, reason);
    reading.position = portion.position;
    if (portion.ended) await this.#finish(reading);
    return STORED;
  }

  #ownUnread(): SpoolFile | undefined {
    for (const file of this.#options.spool.files) if (file.unread) return file;
    return undefined;
  }

  // Also where the clock has been set back.
  #lookIsDue(): boolean {
    return Math.abs(this.#now() - this.#lookedAt) >= LOOK_MS;
  }

  async #next(): Promise<Reading | undefined> {
    const { spool } = this.#options;
    const own = this.#ownUnread();
    // Nobody may write to it any more when it is read to its end.
    if (own?.path.endsWith('.live')) spool.seal();
    if (own) return this.#open(own.path, own);
    if (this.#lookIsDue()) {
      this.#lookedAt = this.#now();
      const mine = new Set([...spool.files].map(({ path }) => basename(path)));
      const found = await takeAbandoned(spool.directory, (name) => mine.has(name), this.#now());
      this.#abandoned = found.filter((path) => !this.#done.has(path));
    }
    const path = this.#abandoned.shift();
    return path === undefined ? undefined : this.#open(path, undefined);
  }

  async #open(path: string, own: SpoolFile | undefined): Promise<Reading | undefined> {
    try {
      return { path, handle: await open(path, 'r'), position: 0, own };
    } catch (error) {
      // Someone else has taken it, and with it the delivery.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && own) this.#options.spool.remove(own);
      else if (own) this.#leave(own, path, error);
      return undefined;
    }
  }

  /** It stays where it is, for the service or a later client. */
  #leave(own: SpoolFile | undefined, path: string, error: unknown): void {
    if (own) own.unread = false;
    this.#options.guard.warn('leftovers', `the spool file ${path} cannot be read back (${reasonOf(error)})`);
  }

  async #giveUp({ handle, path, own }: Reading, error: unknown): Promise<void> {
    this.#reading = undefined;
    this.#leave(own, path, error);
    await handle.close().catch(() => undefined);
  }

  async #finish({ handle, path, own }: Reading): Promise<void> {
    this.#reading = undefined;
    await handle.close().catch(() => undefined);
    if (own) return this.#options.spool.remove(own);
    await unlink(path).catch(() => {
      if (this.#done.size < MAX_DONE) this.#done.add(path);
    });
  }
}

interface Portion {
  lines: string[];
  position: number;
  ended: boolean;
}

/** Complete lines from the reading's position; at the end of the file what is there without a line break. */
async function readPortion({ handle, position }: Reading): Promise<Portion> {
  let bytes = Buffer.alloc(0);
  let ended = false;
  while (!ended && !bytes.includes(NEWLINE) && bytes.length < MAX_LINE_BYTES) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position + bytes.length);
    ended = bytesRead < CHUNK_BYTES;
    bytes = Buffer.concat([bytes, chunk.subarray(0, bytesRead)]);
  }
  const lines: string[] = [];
  let at = 0;
  while (lines.length < MAX_LINES) {
    const end = bytes.indexOf(NEWLINE, at);
    if (end === -1) break;
    lines.push(bytes.toString('utf8', at, end));
    at = end + 1;
  }
  if (at === 0 && bytes.length > 0) {
    lines.push(bytes.toString());
    at = bytes.length;
  }
  return { lines, position: position + at, ended: ended && at === bytes.length };
}
