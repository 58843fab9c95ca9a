/** A service over HTTP that is scripted: real sockets, answers by hand or by a store. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { RunStore } from './run-store.ts';

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  text: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** An object goes as JSON, text as it is. */
  body?: unknown;
}

export class FakeService {
  readonly store = new RunStore();
  readonly received: Received[] = [];
  /** Connections taken so far. */
  connections = 0;
  /** What it gives is the answer; `hang` never answers, `cut` closes the connection; undefined leaves it to the store. */
  script: (received: Received, count: number) => Reply | 'hang' | 'cut' | undefined = () => undefined;
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', () => this.connections++);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(t: TestContext): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    return this;
  }

  /** Resolves once so many requests have come. */
  async receives(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const received = { method, path, headers, text: Buffer.concat(chunks).toString() };
    this.received.push(received);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    const reply = this.script(received, this.received.length) ?? this.store.handle(method, path, received.text);
    if (reply === 'hang') return;
    if (reply === 'cut') return void request.socket.destroy();
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    const extra = (reply as Reply).headers;
    response.writeHead(reply.status, { 'Content-Type': 'application/json', ...extra }).end(text);
  }
}

/** A scripted service on a port of its own, closed after the test. */
export const fakeService = (t: TestContext): Promise<FakeService> => new FakeService().open(t);
