/** Collects a request's body as bytes; parsing is the writer's. */
import type { IncomingMessage } from 'node:http';
import { TelemetryError } from '../errors.ts';

/**
 * @param limit bytes; more is refused, at once where Content-Length tells
 * @throws TelemetryError "too_large", or "bad_request" for an encoding we do not read or a client that stops midway
 */
export function collect(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      const why = `Content-Encoding ${encoding} is not supported. Send the JSON as it is.`;
      return reject(new TelemetryError('bad_request', why));
    }
    if (Number(request.headers['content-length'] ?? 0) > limit) return reject(tooLarge(limit));
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= limit) return void chunks.push(chunk);
      // Refused, but read to its end and dropped: a client that is still sending could not hear the answer.
      chunks.length = 0;
      reject(tooLarge(limit));
    });
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)));
    request.once('error', (cause) => {
      reject(new TelemetryError('bad_request', 'The request ended before its body was complete.', { cause }));
    });
  });
}

function tooLarge(limit: number): TelemetryError {
  return new TelemetryError('too_large', `The body is larger than the ${limit} bytes taken here. Send it in parts.`);
}
