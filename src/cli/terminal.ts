/** Where a command speaks: results on stdout, all else on stderr; colour and progress only where someone looks on. */
import { styleText } from 'node:util';
import type { Writable } from 'node:stream';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { cut } from '../run/text.ts';
import { escaped, visibleJson } from '../run/visible.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';
type Output = Writable & { isTTY?: boolean; columns?: number };

export interface TerminalOptions {
  environment: Environment;
  stdout: Output;
  stderr: Output;
}

/** A progress line is drawn anew this often; where nobody looks on, a plain line comes this often. */
const REDRAW_MS = 200;
const PLAIN_MS = 10_000;

export class Terminal {
  readonly environment: Environment;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #drawnAt = -Infinity;
  #drawn = false;
  /** The first write to stdout that failed. Those behind it only say that the stream is gone. */
  #failure: Error | undefined;

  constructor({ environment, stdout, stderr }: TerminalOptions) {
    this.environment = environment;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** How wide a line may be; Infinity where the output is no terminal. */
  get columns(): number {
    return this.#stdout.isTTY ? (this.#stdout.columns ?? 80) : Infinity;
  }

  /** A line of the result. */
  print(line = ''): void {
    this.#erase();
    this.#stdout.write(`${harmless(line)}\n`, (error) => this.#keep(error));
  }

  /** The result for scripts: one JSON value a line. */
  json(value: unknown): void {
    this.print(visibleJson(JSON.stringify(value)));
  }

  /**
   * Bytes of the result, as they are; resolves when more may come.
   *
   * @throws TelemetryError where they cannot be written; EPIPE of the system where nobody reads them
   */
  write(bytes: Uint8Array | string): Promise<void> {
    this.#erase();
    return new Promise((resolve, reject) =>
      this.#stdout.write(bytes, (error) => {
        this.#keep(error);
        if (!error) resolve();
        else reject(this.#lost() ?? this.#failure ?? error);
      }),
    );
  }

  /**
   * Resolves once all of the result is out.
   *
   * @returns why some of it is lost; undefined where nothing is, or where its reader has gone
   */
  async finish(): Promise<TelemetryError | undefined> {
    await new Promise<void>((resolve) => this.#stdout.write('', () => resolve()));
    return this.#lost();
  }

  /** A line for whoever looks on: what is being done, a warning. Not part of the result. */
  note(line: string): void {
    this.#erase();
    this.#stderr.write(`${harmless(line)}\n`);
  }

  /** How far it is: one line that is drawn over on a terminal, plain lines now and then otherwise. */
  progress(line: string): void {
    const now = performance.now();
    if (now - this.#drawnAt < (this.#stderr.isTTY ? REDRAW_MS : PLAIN_MS)) return;
    const first = this.#drawnAt === -Infinity;
    this.#drawnAt = now;
    if (!this.#stderr.isTTY) return void (first || this.#stderr.write(`${harmless(line)}\n`));
    this.#stderr.write(`\r\u001B[K${cut(harmless(line), (this.#stderr.columns ?? 80) - 1)}`);
    this.#drawn = true;
  }

  /** Text in colour for stdout or stderr, where that is a terminal and NO_COLOR is not set. */
  style(style: Style | Style[], text: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    const output = stream === 'stdout' ? this.#stdout : this.#stderr;
    return output.isTTY && !this.environment.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;
  }

  #keep(error: Error | null | undefined): void {
    this.#failure ??= error ?? undefined;
  }

  #lost(): TelemetryError | undefined {
    const cause = this.#failure;
    if (cause === undefined || systemCode(cause) === 'EPIPE') return undefined;
    const why = `The output cannot be written: ${describe(cause)}. Free space, or send it elsewhere.`;
    return new TelemetryError('unavailable', why, { cause });
  }

  #erase(): void {
    if (this.#drawn) this.#stderr.write('\r\u001B[K');
    this.#drawn = false;
  }
}

/** What `style` puts around text. */
const STYLES = /(\u001b\[(?:[012]|22|3[1236]|39)m)/;

/** A line without what commands a terminal, save our own colours: names of files and others' messages may hold anything. */
const harmless = (line: string): string =>
  line
    .split(STYLES)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part)))
    .join('');
