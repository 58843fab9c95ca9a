/** What a client may find in place of a service: nobody, silence, slowness, refusals. On loopback, any port. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Fault = 'down' | 'hanging' | 'slow' | '500s' | '429s';

export interface FaultyService {
  url: string;
  close(): void;
}

const SLOW_MS = 300;
const RETRY_AFTER_S = 5;
const KEEP_ALIVE_MS = 60_000;

/**
 * Starts one; `down` is a port that was closed again.
 *
 * @param behind the service that `slow` stands before
 */
export async function startFaultyService(fault: Fault, behind: string): Promise<FaultyService> {
  const server = createServer((request, response) => {
    // The agent asks for the service's own figures when all is measured: told at once that there are none.
    if (request.url === '/metrics') return refuse(response, 404);
    if (fault === 'slow') return void setTimeout(() => void passOn(request, response, behind), SLOW_MS);
    request.resume();
    if (fault !== 'hanging') refuse(response, fault === '429s' ? 429 : 500);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (fault === 'down') await closed(server);
  return {
    url,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function refuse(response: ServerResponse, status: number): void {
  const retry = status === 429 ? { 'Retry-After': String(RETRY_AFTER_S) } : {};
  response.writeHead(status, { 'Content-Type': 'application/json', ...retry });
  response.end('{"detail":"not now"}');
}

async function passOn(request: IncomingMessage, response: ServerResponse, behind: string): Promise<void> {
  try {
    const answer = await fetch(`${behind}${request.url}`, {
      method: String(request.method),
      headers: { 'Content-Type': 'application/json' },
      body: await text(request),
    });
    const body = await answer.text();
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(body);
  } catch {
    // The agent has gone meanwhile.
    response.destroy();
  }
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
