/**
 * The server's open connections, so that going down waits for requests and not for sockets: Node's
 * own close() leaves alone a connection on which nothing was ever sent.
 */
import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemCode } from '../errors.ts';

export class Connections {
  /** Requests being answered, by connection. */
  readonly #active = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#active.set(socket, 0);
      socket.once('close', () => this.#active.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
    server.on('clientError', (error, socket) => {
      // While a request is being answered, an answer to what follows it would be taken for its own.
      if ((this.#active.get(socket as Socket) ?? 0) > 0) socket.destroy();
      else refuse(error, socket);
    });
  }

  /** Ends each connection as soon as nothing is being answered on it. */
  close(): void {
    this.#closing = true;
    for (const [socket, active] of this.#active) if (active === 0) socket.destroy();
  }

  #count(socket: Socket, by: 1 | -1): void {
    const active = this.#active.get(socket);
    if (active === undefined) return;
    this.#active.set(socket, active + by);
    if (this.#closing && active + by === 0) socket.end();
  }
}

/** What is no HTTP gets an answer like every other error. */
function refuse(error: Error, socket: Duplex): void {
  const code = systemCode(error);
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const body = JSON.stringify({ detail: STATUS_CODES[status] });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
