/** A command's stderr: passed on unchanged and in order, its end kept. */
import { write } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { systemCode } from '../../errors.ts';
import { copyOn } from './copier.ts';
import type { Tail } from './tail.ts';

const STDERR = 2;
/** What the command said is here by then; what still has its stderr open was left in the background. */
const AFTER_END_MS = 100;
/** Bytes that wait to be written; a command that says more waits for the reader, as it would without us. */
const MAX_WAITING = 64 * 1024;
/** More than a pipe of the system holds: nobody must read before the end of a command that is over is known. */
const MAX_WAITING_AFTER_END = 1024 * 1024;

const writeTo = promisify(write);

export class Passing {
  readonly #source: Readable;
  readonly #tail: Tail;
  readonly #closed: Promise<void>;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #most = MAX_WAITING;
  #writing: Promise<void> | undefined;
  #release: (() => void) | undefined;

  constructor(source: Readable, tail: Tail) {
    this.#source = source;
    this.#tail = tail;
    this.#closed = new Promise((resolve) => source.once('close', resolve));
    source.on('error', () => undefined);
    source.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** The command has ended: resolves when all that it said is passed on. What others say later is copied without us. */
  async settle(): Promise<void> {
    this.#most = MAX_WAITING_AFTER_END;
    this.#source.resume();
    // After a pause of the whole process timers come before what waits in the stream; an immediate comes after it.
    const timer = setTimeout(() => setImmediate(() => this.#handOver()), AFTER_END_MS);
    await this.#closed;
    clearTimeout(timer);
    await this.#writing;
    this.#release?.();
  }

  #take(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= this.#most) this.#source.pause();
    this.#writing ??= this.#pass();
  }

  async #pass(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = Buffer.concat(this.#waiting);
        this.#waiting = [];
        await writeAll(bytes);
        this.#bytes -= bytes.length;
        this.#source.resume();
      }
    } catch {
      // Nobody reads our stderr any more: then the command must find its own closed too.
      this.#source.destroy();
    }
    this.#writing = undefined;
  }

  /** HAZARD: in one turn. Between the copier's start and our letting go nothing may be read here, or it is out of order. */
  #handOver(): void {
    if (this.#source.destroyed) return;
    let rest: unknown;
    // Each goes the way of all data.
    do rest = this.#source.read();
    while (rest !== null);
    this.#release = copyOn(this.#source);
    this.#source.destroy();
  }
}

/** In another thread: were we to wait for a reader ourselves, no signal would reach the command meanwhile. */
async function writeAll(bytes: Buffer): Promise<void> {
  let written = 0;
  try {
    while (written < bytes.length) written += (await writeTo(STDERR, bytes, written)).bytesWritten;
  } catch (error) {
    if (systemCode(error) !== 'EAGAIN') throw error;
    // A pipe that is full and does not let its writers wait; Node's stream does.
    await new Promise<void>((resolve, reject) => {
      process.stderr.write(bytes.subarray(written), (failed) => (failed ? reject(failed) : resolve()));
    });
  }
}
