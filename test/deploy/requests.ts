/** Requests through nginx: by HTTPS with its certificate checked, from a chosen address, by HTTP/2, and by bare HTTP. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { NAME, type Nginx } from './nginx.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  /** The body as JSON. */
  json: () => unknown;
}

export interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  /** The address that nginx sees: any of 127.0.0.0/8. */
  from?: string;
}

export class Client {
  readonly #nginx: Nginx;
  /** A connection for each address, kept. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(nginx: Nginx) {
    this.#nginx = nginx;
  }

  /** By HTTPS. An object goes as JSON. */
  send(method: string, path: string, { body, headers = {}, from = '127.0.0.1' }: Options = {}): Promise<Answer> {
    const { httpsPort: port, ca } = this.#nginx;
    const text = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const all = { Host: NAME, ...lengthOf(text), ...headers };
    const options = { host: '127.0.0.1', port, ca, servername: NAME, localAddress: from, agent: this.#agent };
    return answered(httpsRequest({ ...options, method, path, headers: all }), text);
  }

  /** By HTTP without TLS. */
  sendBare(method: string, path: string, body?: string): Promise<Answer> {
    const text = body === undefined ? undefined : Buffer.from(body);
    const headers = { Host: NAME, ...lengthOf(text) };
    return answered(httpRequest({ host: '127.0.0.1', port: this.#nginx.httpPort, method, path, headers }), text);
  }

  /** A GET by HTTP/2. @returns its status */
  async sendHttp2(path: string): Promise<number> {
    const { httpsPort, ca } = this.#nginx;
    const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { ca, servername: NAME });
    try {
      const stream = session.request({ ':path': path, ':authority': NAME });
      const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
      await buffer(stream);
      return headers[':status'];
    } finally {
      session.close();
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

function lengthOf(body: Buffer | undefined): Record<string, string> {
  return body ? { 'Content-Type': 'application/json', 'Content-Length': String(body.byteLength) } : {};
}

async function answered(request: ReturnType<typeof httpRequest>, body: Buffer | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // A proxy that refuses a body closes while it is still being sent; its answer counts, where there is one.
  request.on('error', reject);
  request.on('response', (response) => {
    const { statusCode: status = 0, headers } = response;
    buffer(response).then((bytes) => {
      resolve({ status, headers, bytes, json: () => JSON.parse(bytes.toString('utf8')) as unknown });
    }, reject);
  });
  request.end(body);
  return promise;
}
