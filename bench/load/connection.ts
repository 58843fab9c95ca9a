/** One kept connection of the load: requests as bytes, answers read no further than their length. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export class Connection {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #missing = -1;
  #status = 0;
  #answered: ((status: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('The service closed the connection')));
  }

  static async to(host: string, port: number): Promise<Connection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** @returns the answer's status once its body is there whole */
  ask(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#missing < 0) {
      this.#chunks.push(chunk);
      const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = bytes.toString('latin1', 0, end + 2);
      this.#chunks.length = 0;
      this.#status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
      if (length === undefined && this.#status !== 304) throw new Error(`An answer without a length: ${head}`);
      this.#missing = Number(length ?? 0) - (bytes.length - end - 4);
    } else this.#missing -= chunk.length;
    if (this.#missing > 0) return;
    this.#missing = -1;
    this.#answered?.(this.#status);
  }
}

/** A request as bytes. */
export function requestOf(method: string, path: string, body?: string, headers = ''): Buffer {
  const head = `${method} ${path} HTTP/1.1\r\nHost: bench\r\n${headers}`;
  if (body === undefined) return Buffer.from(`${head}\r\n`);
  const type = 'Content-Type: application/json\r\n';
  return Buffer.from(`${head}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
