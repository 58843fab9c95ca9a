/**
 * Reads back what lies on disk only: this client's own overflow, and files of processes that died
 * before they could deliver. Merging makes it harmless that the service may do the same meanwhile.
 */
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isJsonObject } from '../run.ts';
import { batchAnswer, MERGE_PATH, patchOf, refusedItems, runPath, type Verdict, verdictOf } from './requests.ts';
import type { Spool, SpoolFile } from './spool.ts';
import type { Transport } from './transport.ts';

/** A file that nobody has touched for so long is abandoned; whoever still writes to it will notice that it was taken. */
const ABANDONED_MS = 5 * 60_000;
/** How often it is looked for files of others. */
const LOOK_MS = 5 * 60_000;
/** Lines sent at once: few, for they are parsed on the agent's thread. */
const MAX_LINES = 100;
const CHUNK_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 8 * 1024 * 1024;

interface Reading {
  path: string;
  handle: FileHandle;
  position: number;
  /** Of this client; undefined for a file of others. */
  own: SpoolFile | undefined;
}

export interface LeftoversOptions {
  spool: Spool;
  /** Keeps a line that can never be delivered. */
  reject: (path: string, line: string, reason: string) => void;
  now?: () => number;
}

export class Leftovers {
  readonly #spool: Spool;
  readonly #reject: LeftoversOptions['reject'];
  readonly #now: () => number;
  #reading: Reading | undefined;
  #abandoned: string[] = [];
  #lookedAt = -Infinity;

  constructor({ spool, reject, now = Date.now }: LeftoversOptions) {
    this.#spool = spool;
    this.#reject = reject;
    this.#now = now;
  }

  /** Whether this client has records on disk that memory does not hold. */
  get ownPending(): boolean {
    return [...this.#spool.files].some(({ unread }) => unread);
  }

  get pending(): boolean {
    return (
      this.#reading !== undefined ||
      this.ownPending ||
      this.#now() - this.#lookedAt >= LOOK_MS ||
      this.#abandoned.length > 0
    );
  }

  /** Sends the next lines of the next file. @throws where there is no answer */
  async step(transport: Transport): Promise<Verdict> {
    const reading = (this.#reading ??= await this.#next());
    if (!reading) return { kind: 'stored' };
    const { lines, position, ended } = await this.#read(reading);
    if (lines.length > 0) {
      const verdict = await this.#send(reading, lines, transport);
      if (verdict.kind !== 'stored') return verdict;
    }
    reading.position = position;
    if (ended) await this.#finish(reading);
    return { kind: 'stored' };
  }

  async #next(): Promise<Reading | undefined> {
    const own = [...this.#spool.files].find(({ unread }) => unread);
    // Nobody may write to it any more when it is read to its end.
    if (own?.path.endsWith('.live')) this.#spool.seal();
    if (own) return this.#open(own.path, own);
    if (this.#now() - this.#lookedAt >= LOOK_MS) await this.#look();
    const path = this.#abandoned.shift();
    return path === undefined ? undefined : this.#open(path, undefined);
  }

  async #open(path: string, own: SpoolFile | undefined): Promise<Reading | undefined> {
    try {
      return { path, handle: await open(path, 'r'), position: 0, own };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // Someone else has taken it, and with it the delivery.
      if (own) this.#spool.remove(own);
      return undefined;
    }
  }

  /** Finds files of our kind that nobody writes to, and takes those that seem abandoned. */
  async #look(): Promise<void> {
    this.#lookedAt = this.#now();
    const mine = new Set([...this.#spool.files].map(({ path }) => basename(path)));
    const names = await readdir(this.#spool.directory).catch(() => [] as string[]);
    for (const name of names.filter(
      (each) => /^telemetry_.*_[0-9a-f]{16}\.jsonl\.(live|sealed)$/.test(each) && !mine.has(each),
    )) {
      const path = join(this.#spool.directory, name);
      const untouched = await stat(path).then(
        ({ mtimeMs }) => this.#now() - mtimeMs,
        () => 0,
      );
      if (untouched < ABANDONED_MS) continue;
      const sealed = path.replace(/\.live$/, '.sealed');
      if (
        sealed !== path &&
        !(await rename(path, sealed).then(
          () => true,
          () => false,
        ))
      )
        continue;
      this.#abandoned.push(sealed);
    }
  }

  /** Complete lines from the reading's position; at the end of the file what is there without a line break. */
  async #read({ handle, position }: Reading): Promise<{ lines: string[]; position: number; ended: boolean }> {
    let bytes = Buffer.alloc(0);
    let ended = false;
    while (!ended && !bytes.includes(0x0a) && bytes.length < MAX_LINE_BYTES) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position + bytes.length);
      ended = bytesRead < CHUNK_BYTES;
      bytes = Buffer.concat([bytes, chunk.subarray(0, bytesRead)]);
    }
    const lines: string[] = [];
    let at = 0;
    while (lines.length < MAX_LINES) {
      const end = bytes.indexOf(0x0a, at);
      if (end === -1) break;
      lines.push(bytes.toString('utf8', at, end));
      at = end + 1;
    }
    const rest = bytes.indexOf(0x0a, at) === -1;
    if (at === 0 && rest && (ended || bytes.length >= MAX_LINE_BYTES) && bytes.length > 0) {
      lines.push(bytes.toString());
      at = bytes.length;
    }
    return { lines, position: position + at, ended: ended && at === bytes.length };
  }

  async #send({ path }: Reading, lines: readonly string[], transport: Transport): Promise<Verdict> {
    // The newest state of a run holds all that the older ones said.
    const newest = new Map<string, string>();
    for (const line of lines.filter((each) => each.trim() !== '')) {
      const eventId = eventIdOf(line);
      if (eventId === undefined) this.#reject(path, line, 'not a record of a run');
      else newest.set(eventId, line);
    }
    return this.#deliver([...newest], path, transport);
  }

  async #deliver(records: readonly [string, string][], path: string, transport: Transport): Promise<Verdict> {
    if (records.length === 0) return { kind: 'stored' };
    const body = `[${records.map(([, line]) => line).join(',')}]`;
    const answer = await transport.request('POST', MERGE_PATH, body);
    const verdict = verdictOf(answer, 'merge');
    if (verdict.kind === 'later') return verdict;
    const result = batchAnswer(answer.body);
    const refused = refusedItems(
      records.map(([eventId]) => eventId),
      result?.errors ?? [],
    );
    if ((verdict.kind !== 'stored' || !refused) && records.length > 1) {
      const half = Math.ceil(records.length / 2);
      const first = await this.#deliver(records.slice(0, half), path, transport);
      return first.kind === 'stored' ? this.#deliver(records.slice(half), path, transport) : first;
    }
    const whole = 'reason' in verdict ? verdict.reason : undefined;
    const why = whole ?? result?.errors.join('; ') ?? '';
    for (const [index, [, line]] of records.entries()) {
      if (whole !== undefined || (refused?.has(index) ?? true)) this.#reject(path, line, why);
    }
    if (result && !result.merges && result.duplicates > 0) return changeEach(records, transport);
    return { kind: 'stored' };
  }

  async #finish({ handle, path, own }: Reading): Promise<void> {
    this.#reading = undefined;
    await handle.close();
    if (own) this.#spool.remove(own);
    else await unlink(path).catch(() => undefined);
  }
}

/** A service that does not merge has ignored the runs it knew: the ends among them go by PATCH. */
async function changeEach(records: readonly [string, string][], transport: Transport): Promise<Verdict> {
  for (const [eventId, line] of records) {
    const record = JSON.parse(line) as Record<string, unknown>;
    if (record.status === 'running') continue;
    const answer = await transport.request('PATCH', runPath(eventId), patchOf(record, Object.keys(record)));
    const verdict = verdictOf(answer, 'update');
    if (verdict.kind === 'later') return verdict;
  }
  return { kind: 'stored' };
}

function eventIdOf(line: string): string | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return isJsonObject(record) && typeof record.event_id === 'string' ? record.event_id : undefined;
  } catch {
    return undefined;
  }
}
