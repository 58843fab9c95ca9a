/** Reads sources one after the other and hands their runs on: the one engine of import and replay. */
import { createHash, type Hash } from 'node:crypto';
import { bytesOf, count } from '../../offline/figures.ts';
import type { Terminal } from '../terminal.ts';
import { judge, runOf, type Taken } from './judge.ts';
import { type Line, linesOf } from './lines.ts';
import type { Sender } from './sender.ts';
import { openSource, SourceError, STDIN, type TextSource } from './source.ts';
import type { Place, Tally } from './tally.ts';

export interface EngineOptions {
  terminal: Terminal;
  tally: Tally;
  /** Undefined where everything is only checked. */
  sender: Sender | undefined;
  /** A longer line is rejected. */
  maxLineBytes: number;
  /** Whether what an export wrote must end with its trailer; true. */
  needsTrailer?: boolean;
}

/** What a trailer says of the lines before it. */
interface Checked {
  rows: number;
  /** Whether one of them is an export's. */
  exported: boolean;
  /** Undefined where a line was too long to be held. */
  hash: Hash | undefined;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #startedAt = performance.now();
  #toldOfEvents = false;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Imports these, by path, or `-` for standard input; all is stored once it resolves. @throws TelemetryError */
  async take(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const source = await openSource(name);
      const file = name === STDIN ? 'standard input' : name;
      await (source.kind === 'text' ? this.#takeText(file, source) : this.#takeDatabase(file));
      await this.#options.sender?.flush();
    }
  }

  async #takeText(file: string, source: TextSource): Promise<void> {
    const { tally, maxLineBytes, needsTrailer = true } = this.#options;
    const checked = unchecked();
    for await (const lines of linesOf(source.chunks, maxLineBytes)) {
      for (const line of lines) {
        if (line.number === 1) refuseWhatIsNone(file, line.bytes);
        await this.#takeLine(file, line, checked);
      }
      this.#show(file, source);
    }
    const damage = source.damage();
    if (damage !== undefined) {
      tally.missing(
        `${file} is not complete: its compressed data ends early or is damaged (${damage}). What came before was taken.`,
      );
    } else if (checked.exported && needsTrailer) {
      tally.missing(
        `${file} is not complete: it is of an export, and ends without its trailer. What is there was taken; export it again, or import it with --no-trailer if it was exported so.`,
      );
    }
  }

  async #takeLine(file: string, line: Line, checked: Checked): Promise<void> {
    const { tally, maxLineBytes } = this.#options;
    const bytes = asExported(line.bytes, checked.rows === 0);
    checked.exported ||= isExported(bytes);
    const place: Place = { file, line: line.number, offset: line.offset };
    if (line.length > maxLineBytes) {
      checked.hash = undefined;
      checked.rows++;
      tally.lines++;
      return tally.reject(
        place,
        `longer than the ${maxLineBytes} bytes taken for a line`,
        Buffer.from(line.bytes).toString(),
      );
    }
    const found = judge(bytes);
    if (found.length > 0) tally.lines++;
    for (const one of found) {
      if (one.kind === 'trailer') this.#checkTrailer(place, one, checked);
      else await this.#takeFound(place, one);
    }
    if (found.some(({ kind }) => kind === 'trailer')) return;
    if (found.length > 0) checked.rows++;
    checked.hash?.update(bytes).update(line.ended ? '\n' : '');
  }

  async #takeFound(place: Place, found: Taken): Promise<void> {
    const { tally, sender, terminal } = this.#options;
    if (found.kind === 'rejected') return tally.reject(place, found.reason, found.text);
    if (found.kind === 'run') {
      tally.records++;
      return sender?.add({ ...place, text: found.text, eventId: found.eventId });
    }
    tally.events++;
    if (!this.#toldOfEvents)
      terminal.note(`${place.file} holds events too: they have no place in the database, and are passed over.`);
    this.#toldOfEvents = true;
  }

  /** Begins anew behind it, for exports may have been put one behind the other. */
  #checkTrailer({ file, line }: Place, { rows, sha256 }: { rows: number; sha256: string }, checked: Checked): void {
    const { tally } = this.#options;
    if (rows !== checked.rows) {
      const why = `its trailer (line ${line}) tells of ${count(rows, 'run')}, and ${checked.rows} stand before it`;
      tally.missing(`${file} is not complete: ${why}. What is there was taken; export it again.`);
    } else if (checked.hash && checked.hash.digest('hex') !== sha256) {
      const why = `what stands before its trailer (line ${line}) is not what was exported`;
      tally.missing(`${file} is not as it was written: ${why}. It was taken as it is; export it again.`);
    }
    Object.assign(checked, unchecked());
  }

  async #takeDatabase(file: string): Promise<void> {
    const { tally, terminal } = this.#options;
    // Only here, for SQLite takes its time to load.
    const { RunSource } = await import('../../offline/source.ts');
    using source = await RunSource.open(file);
    const { others } = source.shape;
    if (others.length > 0)
      terminal.note(`${file}: what stands in ${others.join(' and ')} has no place in the API, and is passed over.`);
    for await (const runs of source.windows()) {
      for (const { id, record, repairs } of runs) {
        tally.lines++;
        if (repairs.length > 0) tally.repaired++;
        await this.#takeFound({ file, line: id, offset: undefined }, runOf(JSON.stringify(record), record));
      }
      terminal.progress(`${file}: ${count(tally.lines, 'run')}, ${this.#rate}/s`);
    }
  }

  #show(file: string, { bytes, bytesRead }: TextSource): void {
    const { tally, terminal } = this.#options;
    const share = bytes ? `${Math.floor((100 * bytesRead()) / bytes)} %` : bytesOf(bytesRead());
    terminal.progress(`${file}: ${share}, ${count(tally.lines, 'line')}, ${this.#rate}/s`);
  }

  get #rate(): string {
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    return Math.round(this.#options.tally.lines / seconds).toLocaleString('en-US');
  }
}

const unchecked = (): Checked => ({ rows: 0, exported: false, hash: createHash('sha256') });

const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** A line without what an editor has added to it: a byte order mark before the first one, and CR before the line's end. */
function asExported(bytes: Uint8Array, first: boolean): Uint8Array {
  const marked = first && BYTE_ORDER_MARK.equals(bytes.subarray(0, BYTE_ORDER_MARK.length));
  return bytes.subarray(marked ? BYTE_ORDER_MARK.length : 0, bytes.at(-1) === CARRIAGE_RETURN ? -1 : undefined);
}

const BEGINNING = Buffer.from('{"id":');
const COMMIT_URL = Buffer.from('"commit_url":');

/** Only the API gives a run its number and its addresses: no client, spool file or backup of a client does. */
const isExported = (bytes: Uint8Array): boolean =>
  BEGINNING.equals(bytes.subarray(0, BEGINNING.length)) &&
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(COMMIT_URL);

/** @param bytes of the first line. @throws TelemetryError where it shows that no line is a run */
function refuseWhatIsNone(file: string, bytes: Uint8Array): void {
  const text = Buffer.from(asExported(bytes, true).subarray(0, 100)).toString().trimStart();
  if (text.startsWith('[')) {
    const remedy = `Make a line of each object, with jq for instance: jq -c '.[]' FILE | local-telemetry import -`;
    throw new SourceError('bad_request', `${file} is one JSON array; one JSON object a line is taken. ${remedy}`);
  }
  if (text.startsWith('id,event_id,')) {
    throw new SourceError(
      'bad_request',
      `${file} is CSV, which is for spreadsheets. Export the runs as NDJSON, and import that.`,
    );
  }
}
