/** One request to the service and its answer, over HTTP; loaded when first used, and never a reason to stay alive. */
import type * as Http from 'node:http';
import type { Socket } from 'node:net';
import { parsePlainJson } from '../run.ts';
import { clearTimeout, Date, now, setTimeout } from './clock.ts';

/** What the service said. */
export interface Answer {
  status: number;
  /** Milliseconds after which it wants to be asked again; undefined where it did not say. */
  retryAfterMs: number | undefined;
  /** The parsed JSON body; undefined where there was none. */
  body: unknown;
}

export interface Transport {
  /**
   * @param path with its query, such as /api/v1/runs
   * @param body JSON text
   * @throws where there is no answer: connection, timeout
   */
  request(method: 'GET' | 'POST' | 'PATCH', path: string, body?: string): Promise<Answer>;
  close(): void;
}

export interface HttpTransportOptions {
  url: string;
  token: string | undefined;
  timeoutMs: number;
}

/** What http and https have in common. */
type Client = Pick<typeof Http, 'Agent' | 'request'>;

/** A list of runs may be long; what is said to a write is short. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_RETRY_AFTER_MS = 300_000;

export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  #http: Promise<Client> | undefined;
  #agent: Http.Agent | undefined;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  async request(method: 'GET' | 'POST' | 'PATCH', path: string, body?: string): Promise<Answer> {
    const { url, token } = this.#options;
    const http = await (this.#http ??= url.startsWith('https:') ? import('node:https') : import('node:http'));
    this.#agent ??= new http.Agent({ keepAlive: true, maxSockets: 4 });
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const options: Http.RequestOptions = {
      method,
      agent: this.#agent,
      headers: {
        Accept: 'application/json',
        ...(bytes && { 'Content-Type': 'application/json', 'Content-Length': bytes.byteLength }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
    };
    try {
      return await exchange(http.request(url + path, options), bytes, this.#options.timeoutMs);
    } catch (error) {
      // The service closed the idle connection just when it was used again: its events are idempotent.
      if ((error as { stale?: true }).stale === undefined) throw error;
      return exchange(http.request(url + path, options), bytes, this.#options.timeoutMs);
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

const seen = new WeakSet<Socket>();

/** An agent that is done must not wait for us: what is undelivered is on disk. */
function release(socket: Socket): void {
  socket.unref();
  if (seen.has(socket)) return;
  seen.add(socket);
  // Each address of a name is tried on a handle of its own, which is not released with the socket.
  for (const event of ['connectionAttempt', 'connect']) socket.on(event, () => socket.unref());
}

function exchange(request: Http.ClientRequest, body: Buffer | undefined, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      const stale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      reject(stale ? Object.assign(error, { stale }) : error);
      request.destroy();
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref();
    request.on('socket', release);
    request.on('error', fail);
    let responding = false;
    request.on('response', (response) => {
      responding = true;
      const maxBytes = request.method === 'GET' ? MAX_LIST_BYTES : MAX_ANSWER_BYTES;
      receive(response, maxBytes).then(
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        (error: unknown) => fail(error as Error),
      );
    });
    // An answer that is none (another protocol) ends without a word. A settled promise stays settled.
    request.on('close', () => {
      if (!responding) fail(new Error('the connection was closed without an answer'));
    });
    request.end(body);
  });
}

async function receive(response: Http.IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const isJson = /json/i.test(response.headers['content-type'] ?? 'json');
  const text = isJson ? Buffer.concat(chunks).toString() : '';
  const retryAfterMs = retryAfter(response.headers['retry-after']);
  return { status: response.statusCode ?? 0, retryAfterMs, body: parsed(text) };
}

/** Seconds or a date, as RFC 9110 has it, in milliseconds from now; bounded. */
export function retryAfter(header: string | undefined, at = now()): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - at;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS);
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : parsePlainJson(text);
  } catch {
    return undefined;
  }
}
