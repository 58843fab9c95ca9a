/** Collects requests' bodies as bytes, bounded each, in sum and in time; parsing is the writer's. */
import type { IncomingMessage } from 'node:http';
import { TelemetryError } from '../../errors.ts';
import { HttpError } from '../errors.ts';
import { checkRatio, type Decoder, DECODER_BYTES, decoderFor, notEncodedSo } from './decoder.ts';
import { Growing, tooLarge } from './growing.ts';
import { Pace } from './pace.ts';
import { type Held, Room } from './room.ts';

interface Receiving {
  body: Growing;
  pace: Pace;
  /** Ends it; what still comes is dropped. */
  refuse: (error: Error) => void;
}

export class Intake {
  readonly #room: Room;
  readonly #now: () => number;
  readonly #receiving = new Set<Receiving>();

  /** @param maxBytes bodies that are just being received may take together, beside the reserve for small ones */
  constructor(maxBytes: number, now: () => number = () => performance.now()) {
    this.#room = new Room(maxBytes);
    this.#now = now;
  }

  /**
   * The body of a request, inflated where it comes compressed.
   *
   * @param limit bytes; more is refused, at once where Content-Length tells
   * @throws TelemetryError "too_large"; "bad_request" for a client that stops midway; "busy" where too much is being
   * received; HttpError 415 for an encoding we do not read, 408 for a body that comes too slowly
   */
  async collect(request: IncomingMessage, limit: number): Promise<Uint8Array> {
    const makeDecoder = decoderFor(request.headers['content-encoding']);
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > limit) throw tooLarge(limit);
    const hold = (held: Held, bytes: number): void => this.#hold(held, bytes);
    const [announced, beside] = makeDecoder ? [0, DECODER_BYTES] : [length, 0];
    const body = new Growing({ limit, announced, beside, hold });
    const receiving: Receiving = { body, pace: new Pace(this.#now()), refuse: () => undefined };
    this.#receiving.add(receiving);
    try {
      return await receive(request, makeDecoder?.(), receiving);
    } finally {
      this.#receiving.delete(receiving);
      this.#room.release(body.held);
    }
  }

  /** Refuses what comes too slowly; to be called about once a second. */
  look(): void {
    const now = this.#now();
    for (const { body, pace, refuse } of this.#receiving) if (pace.isOver(body.size, now)) refuse(tooSlow());
  }

  /** Refuses the oldest body that comes too slowly. @returns false where none does */
  makeWay(): boolean {
    const now = this.#now();
    for (const receiving of this.#receiving) {
      if (!receiving.pace.makesWay(receiving.body.size, now)) continue;
      receiving.refuse(tooSlow());
      this.#receiving.delete(receiving);
      this.#room.release(receiving.body.held);
      return true;
    }
    return false;
  }

  #hold(held: Held, bytes: number): void {
    while (!this.#room.hold(held, bytes)) if (!this.makeWay()) throw tooMuch();
  }
}

/** Reads to the end; what is refused is read too, and dropped: a client still sending could not hear the answer. */
function receive(request: IncomingMessage, decoder: Decoder | undefined, receiving: Receiving): Promise<Uint8Array> {
  const { body } = receiving;
  const source = decoder ?? request;
  return new Promise((resolve, reject) => {
    let wanted = true;
    const refuse = (error: Error): void => {
      wanted = false;
      body.drop();
      reject(error);
      if (!decoder) return;
      request.unpipe(decoder).resume();
      decoder.destroy();
    };
    receiving.refuse = refuse;
    source.on('data', (chunk: Buffer) => {
      if (!wanted) return;
      try {
        body.add(chunk);
        if (decoder) checkRatio(decoder, body.size);
      } catch (error) {
        refuse(error as TelemetryError);
      }
    });
    source.once('end', () => wanted && resolve(body.take()));
    request.once('error', (cause) => {
      refuse(new TelemetryError('bad_request', 'The request ended before its body was complete.', { cause }));
    });
    if (decoder) request.pipe(decoder.once('error', (cause) => refuse(notEncodedSo(cause))));
  });
}

function tooMuch(): TelemetryError {
  return new TelemetryError('busy', 'The service is receiving more than it takes at once. Send this again.');
}

function tooSlow(): HttpError {
  // The rest would be waited for without end: the connection is closed behind the answer.
  return new HttpError(408, 'The body came too slowly. Send it again, in smaller parts.', { Connection: 'close' });
}
