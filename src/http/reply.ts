import type { ServerResponse } from 'node:http';

/** What a handler answers: JSON as a value, or as bytes that are JSON already. */
export interface Reply {
  status: number;
  body: object | Uint8Array;
  headers?: Readonly<Record<string, string>>;
}

export const ok = (body: object | Uint8Array, headers?: Reply['headers']): Reply => ({
  status: 200,
  body,
  ...(headers && { headers }),
});

/** The client has this already, and gets no body. */
export const notModified = (headers: Reply['headers']): Reply => ({
  status: 304,
  body: new Uint8Array(),
  ...(headers && { headers }),
});

/** A larger body is written in slices of this size, so that it is seen whether the client reads. */
export const SLICE_BYTES = 256 * 1024;

/** The body as it leaves: text in one write with the head; bytes need a second one. */
export const contentOf = ({ body }: Reply): string | Uint8Array =>
  body instanceof Uint8Array ? body : JSON.stringify(body);

/**
 * Writes a reply.
 *
 * @param content its body, by contentOf @param closing tells the client not to use the connection again
 * @param onMoved called when the client has read a slice
 * @returns whether all of it has been handed to the system
 */
export function send(
  response: ServerResponse,
  { status, headers }: Reply,
  content: string | Uint8Array,
  { closing, onMoved }: { closing: boolean; onMoved: () => void },
): boolean {
  const length = Buffer.byteLength(content);
  response.writeHead(status, {
    ...(status !== 304 && { 'Content-Type': 'application/json', 'Content-Length': length }),
    'X-Content-Type-Options': 'nosniff',
    ...(closing && { Connection: 'close' }),
    ...headers,
  });
  if (length <= SLICE_BYTES) response.end(content);
  else writeInSlices(response, typeof content === 'string' ? Buffer.from(content) : content, onMoved);
  return response.writableEnded && response.socket?.writableLength === 0;
}

function writeInSlices(response: ServerResponse, bytes: Uint8Array, onMoved: () => void): void {
  let at = 0;
  const goOn = (): void => {
    while (bytes.byteLength - at > SLICE_BYTES) {
      const flows = response.write(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (flows) continue;
      return void response.once('drain', () => {
        onMoved();
        goOn();
      });
    }
    response.end(bytes.subarray(at));
  };
  goOn();
}
