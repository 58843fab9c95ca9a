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

/** Writes a reply; `closing` tells the client not to use the connection again. */
export function send(response: ServerResponse, { status, body, headers }: Reply, closing: boolean): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'X-Content-Type-Options': 'nosniff',
    ...(closing && { Connection: 'close' }),
    ...headers,
  });
  response.end(bytes);
}
