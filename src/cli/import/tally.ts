/** What an import has come to so far, and the lines it could not take. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { describe, systemCode, TelemetryError } from '../../errors.ts';
import { count } from '../../offline/figures.ts';
import { textOf } from '../runs/columns.ts';
import type { Terminal } from '../terminal.ts';

/** Where a record stands. */
export interface Place {
  file: string;
  /** A line's number from 1 on; of a database the row's id. */
  line: number;
  /** Bytes from the file's beginning; undefined in a database. */
  offset: number | undefined;
}

const SHOWN = 20;

export class Tally {
  lines = 0;
  /** Runs as lines tell of them: one run may have several. */
  records = 0;
  events = 0;
  inserted = 0;
  merged = 0;
  duplicates = 0;
  rejected = 0;
  /** Rows of an older database of which something was lost or guessed. */
  repaired = 0;
  /** Each file that is not complete, in words. */
  readonly incomplete: string[] = [];
  readonly #terminal: Terminal;
  readonly #path: string | undefined;
  #descriptor: number | undefined;

  /** @param path for all rejected lines as NDJSON. @throws TelemetryError where it is there already, or cannot be made */
  constructor(terminal: Terminal, path?: string) {
    this.#terminal = terminal;
    this.#path = path;
    if (path !== undefined) this.#descriptor = created(path);
  }

  /** Takes down a line that cannot be taken. The first ones are shown. */
  reject({ file, line, offset }: Place, reason: string, text: string): void {
    this.rejected++;
    if (this.rejected <= SHOWN) {
      const place = offset === undefined ? `row ${line}` : `line ${line} (byte ${offset})`;
      this.#terminal.note(`${textOf(file)}, ${place}: ${textOf(reason)}`);
    } else if (this.rejected === SHOWN + 1) {
      const where =
        this.#path === undefined ? 'Give --rejected to have them all in a file.' : `All are in ${this.#path}.`;
      this.#terminal.note(`More lines are rejected and not shown. ${where}`);
    }
    if (this.#descriptor === undefined) return;
    writeAll(this.#descriptor, `${JSON.stringify({ file, line, offset, reason, text })}\n`);
  }

  /** A file whose end, or something within, is missing. */
  missing(what: string): void {
    this.incomplete.push(what);
    this.#terminal.note(what);
  }

  /** Leaves no file where nothing was rejected. */
  close(): void {
    if (this.#descriptor === undefined || this.#path === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    if (this.rejected === 0) rmSync(this.#path);
  }

  /** For scripts. */
  get figures(): Record<string, unknown> {
    const { lines, records, events, inserted, merged, duplicates, repaired, rejected, incomplete } = this;
    return { lines, records, events, inserted, merged, duplicates, repaired, rejected, incomplete };
  }

  /** In one line, for people. @param sent whether anything was */
  summary(sent: boolean): string {
    const [inserted, merged, duplicates] = [this.inserted, this.merged, this.duplicates].map((number) =>
      number.toLocaleString('en-US'),
    );
    const records = count(this.records, 'record');
    return [
      sent
        ? `${records}: ${inserted} new, ${merged} merged, ${duplicates} that bring nothing`
        : `${records} could be taken, and nothing was sent`,
      `${count(this.rejected, 'line')} rejected`,
      ...(this.events > 0 ? [`${count(this.events, 'event')} passed over`] : []),
      ...(this.repaired > 0 ? [`${count(this.repaired, 'row')} with values that could not be kept as they were`] : []),
    ].join('; ');
  }
}

function created(path: string): number {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    const there = systemCode(error) === 'EEXIST';
    const why = there ? 'is there already and was left as it is' : `cannot be made: ${describe(error)}`;
    throw new TelemetryError('refused', `${path} ${why}. Name another file in --rejected.`, { cause: error });
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}
