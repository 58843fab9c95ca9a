/** A drain without threads: a folder, a clock by hand, and a writer that only remembers. */
import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Drain, type DrainOptions } from '../../src/actors/spool/drain.ts';
import { keyOf } from '../../src/actors/spool/files.ts';
import type { Note, SpoolFile } from '../../src/actors/protocol.ts';
import type { SpoolAnswer, SpoolBatch, SpoolOutcome } from '../../src/actors/spool/protocol.ts';
import { aRecord, folder } from './database.ts';

export const HOUR_MS = 60 * 60 * 1_000;

export type Fields = Record<string, unknown>;

/** Records as the lines of a spool file. */
export const linesOf = (...records: readonly (object | string)[]): string =>
  records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join('');

/** Lines that are good, each its own run. */
export const goodLines = (count: number, fields: Fields = {}): string[] =>
  Array.from({ length: count }, () => JSON.stringify(aRecord(fields)));

/** What stands in `<name>.jsonl.rejected`. */
export function rejectedIn(directory: string, name: string): { offset: number; reason: string; line: string }[] {
  const text = readFileSync(join(directory, `${name}.jsonl.rejected`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { offset: number; reason: string; line: string });
}

export class DrainBench {
  readonly directory: string;
  /** The lines that the writer took, in order. */
  readonly lines: string[] = [];
  readonly notes: Note[] = [];
  readonly gone: SpoolFile[] = [];
  readonly batches: SpoolBatch[] = [];
  rejected = 0;
  now = Date.UTC(2026, 0, 10, 12);
  drain: Drain;
  /** What the writer says instead of storing; undefined: it stores. */
  failure: ((batch: SpoolBatch) => string | undefined) | undefined;
  readonly #positions = new Map<string, { name: string; inode: string; position: number; digest: string }>();
  readonly #options: Partial<DrainOptions>;

  constructor(t: TestContext, options: Partial<DrainOptions> = {}, directory = folder(t)) {
    this.directory = directory;
    this.#options = options;
    this.drain = this.#open();
    t.after(() => this.drain.close());
  }

  /** Another drain, which knows only what is stored. */
  restart(): void {
    this.drain.close();
    this.drain = this.#open();
  }

  #open(): Drain {
    return new Drain({
      directory: this.directory,
      batchLines: 100,
      maxRunBytes: 1024 * 1024,
      graceMs: 3_000,
      restMs: 1_000,
      maxAgeMs: 24 * HOUR_MS,
      keepMs: 7 * 24 * HOUR_MS,
      clock: () => this.now,
      ...this.#options,
      positions: [...this.#positions.values()],
    });
  }

  /** As an earlier release has left it. */
  forgetDigests(): void {
    for (const position of this.#positions.values()) position.digest = '';
  }

  path(fileName: string): string {
    return join(this.directory, fileName);
  }

  /** Writes a file that was last touched now, by the bench's clock. */
  write(fileName: string, content: string | Uint8Array): void {
    writeFileSync(this.path(fileName), content);
    this.touch(fileName);
  }

  append(fileName: string, content: string | Uint8Array): void {
    appendFileSync(this.path(fileName), content);
    this.touch(fileName);
  }

  touch(fileName: string, at = this.now): void {
    utimesSync(this.path(fileName), at / 1_000, at / 1_000);
  }

  /** One step: asks, and stores what comes. @returns the answer */
  step(): SpoolAnswer {
    const answer = this.ask();
    if (answer.batch) this.drain.settle(this.#store(answer.batch));
    return answer;
  }

  /** Asks, stores, and comes to its end before it learns of it. */
  stepCutOff(): void {
    const { batch } = this.ask();
    if (batch) this.#store(batch);
    this.restart();
  }

  /** Asks without storing. */
  ask(): SpoolAnswer {
    const answer = this.drain.next();
    this.notes.push(...answer.notes);
    this.gone.push(...answer.gone);
    this.rejected += answer.rejected;
    if (answer.batch) this.batches.push(answer.batch);
    return answer;
  }

  /** Steps until there is nothing to do, some milliseconds from now. @returns the last answer */
  pass(afterMs = 0): SpoolAnswer {
    this.now += afterMs;
    for (let steps = 0; steps < 10_000; steps++) {
      const answer = this.step();
      if (!answer.batch && !answer.more) return answer;
    }
    throw new Error('The drain comes to no end');
  }

  /** The messages so far that match. */
  said(message: RegExp): Note[] {
    return this.notes.filter((note) => message.test(note.message));
  }

  #store(batch: SpoolBatch): SpoolOutcome {
    const key = keyOf(batch);
    const stored = this.#positions.get(key)?.position ?? 0;
    if (stored !== batch.expected) return { ok: true, position: stored };
    const reason = this.failure?.(batch);
    if (reason !== undefined) return { ok: false, reason };
    this.lines.push(...Buffer.from(batch.body).toString().split('\n').slice(0, -1));
    this.#positions.set(key, { name: batch.name, inode: batch.inode, position: batch.to, digest: batch.digest });
    return { ok: true, position: batch.to };
  }
}
