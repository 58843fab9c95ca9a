/** A command's stderr: passed on unchanged and in order, its end kept. */
import { write } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { systemCode } from '../../errors.ts';
import type { Tail } from './tail.ts';

const STDERR = 2;
/** A program left in the background may keep the stream open: after so long without a word it is let go. */
const SILENCE_MS = 100;
/** More than a pipe of the system holds: what comes beyond was not said by the command, which has ended. */
const MAX_AFTER_END = 1024 * 1024;

const writeTo = promisify(write);

export class Passing {
  readonly #source: Readable;
  readonly #done: Promise<void>;
  #bytes = 0;
  #writing = false;

  constructor(source: Readable, tail: Tail) {
    this.#source = source;
    this.#done = this.#pass(tail);
  }

  /** The command has ended: resolves when all that it said is passed on. */
  async settle(): Promise<void> {
    const atEnd = this.#bytes;
    let before = -1;
    const look = (): void => {
      const silent = this.#bytes === before && !this.#writing;
      if (silent || this.#bytes - atEnd > MAX_AFTER_END) this.#source.destroy();
      before = this.#bytes;
    };
    // After a pause of the whole process timers come before what waits in the stream; an immediate comes after it.
    const timer = setInterval(() => setImmediate(look), SILENCE_MS);
    await this.#done;
    clearInterval(timer);
  }

  async #pass(tail: Tail): Promise<void> {
    try {
      for await (const chunk of this.#source as AsyncIterable<Buffer>) {
        this.#bytes += chunk.length;
        tail.push(chunk);
        this.#writing = true;
        await writeAll(chunk);
        this.#writing = false;
      }
    } catch {
      // Let go of, or nobody reads our stderr any more: then the command must find its own closed too.
      this.#source.destroy();
    }
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
