/** Answers that are written to a socket as they are, where there is no request to answer. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemCode } from '../../errors.ts';

/** Answers and closes. @param headers lines of the head, each with its end */
export function answerRaw(socket: Duplex, status: number, detail = STATUS_CODES[status], headers = ''): void {
  const body = JSON.stringify({ detail });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json`;
  socket.end(`${head}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** What is no HTTP gets an answer like every other error. */
export function refuseError(error: Error, socket: Duplex): void {
  const code = systemCode(error);
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  answerRaw(socket, code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400);
}
