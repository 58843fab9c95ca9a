/** Collects requests' bodies as bytes, bounded each and in sum; parsing is the writer's. */
import type { IncomingMessage } from 'node:http';
import { TelemetryError } from '../errors.ts';

export class Intake {
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes bodies that are just being received may have together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The body of a request.
   *
   * @param limit bytes; more is refused, at once where Content-Length tells
   * @throws TelemetryError "too_large"; "bad_request" for an encoding we do not read or a client that stops midway;
   * "busy" where too much is being received
   */
  async collect(request: IncomingMessage, limit: number): Promise<Uint8Array> {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      const why = `Content-Encoding ${encoding} is not supported. Send the JSON as it is.`;
      throw new TelemetryError('bad_request', why);
    }
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    let size = 0;
    try {
      return await receive(request, (chunk) => {
        size += chunk.byteLength;
        this.#bytes += chunk.byteLength;
        if (size > limit) throw tooLarge(limit);
        // One body alone always fits: the bound is on what many add up to.
        if (this.#bytes > this.#maxBytes && this.#bytes > size) throw tooMuch();
      });
    } finally {
      this.#bytes -= size;
    }
  }
}

/** Reads to the end; what `take` refuses is read too, and dropped: a client still sending could not hear the answer. */
function receive(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] | undefined = [];
    request.on('data', (chunk: Buffer) => {
      try {
        if (!chunks) return;
        take(chunk);
        chunks.push(chunk);
      } catch (error) {
        chunks = undefined;
        reject(error as TelemetryError);
      }
    });
    request.once('end', () => {
      if (chunks) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.once('error', (cause) => {
      reject(new TelemetryError('bad_request', 'The request ended before its body was complete.', { cause }));
    });
  });
}

export function tooLarge(limit: number): TelemetryError {
  return new TelemetryError('too_large', `The body is larger than the ${limit} bytes taken here. Send it in parts.`);
}

function tooMuch(): TelemetryError {
  return new TelemetryError('busy', 'The service is receiving more than it takes at once. Send this again.');
}
