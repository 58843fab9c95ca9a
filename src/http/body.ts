/** Collects a request's body as bytes; parsing is the writer's. */
import type { IncomingMessage } from 'node:http';
import { TelemetryError } from '../errors.ts';

/**
 * @param limit bytes; more is refused, at once where Content-Length tells
 * @throws TelemetryError "too_large", or "bad_request" for an encoding we do not read or a client that stops midway
 */
export async function collect(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new TelemetryError('bad_request', `Content-Encoding ${encoding} is not supported. Send the JSON as it is.`);
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof TelemetryError) throw error;
    throw new TelemetryError('bad_request', 'The request ended before its body was complete.', { cause: error });
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}

function tooLarge(limit: number): TelemetryError {
  return new TelemetryError('too_large', `The body is larger than the ${limit} bytes taken here. Send it in parts.`);
}
