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

/** Writes a reply; `closing` tells the client not to use the connection again. */
export function send(response: ServerResponse, { status, body, headers }: Reply, closing: boolean): void {
  if (response.headersSent || response.destroyed) return;
  // Text leaves in one write with the head; bytes need a second one.
  const content = body instanceof Uint8Array ? body : JSON.stringify(body);
  response.writeHead(status, {
    ...(status !== 304 && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(content) }),
    'X-Content-Type-Options': 'nosniff',
    ...(closing && { Connection: 'close' }),
    ...headers,
  });
  response.end(content);
}
