/** A service over HTTP: by its address and token, or by the control socket beside its database. */
import { Agent, request, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { type Answer, type Method, nextOf, retryAfterOf } from './answer.ts';
import { UsageError } from './exit.ts';
import type { Target } from './target.ts';

/** Over a network an answer may be lost; a socket of this machine ends with its service. */
const TIMEOUT_MS = 120_000;

export class HttpTarget implements Target {
  readonly where: string;
  readonly live = true;
  readonly #base: RequestOptions;
  readonly #prefix: string;
  readonly #secure: boolean;
  readonly #agent: Agent;

  private constructor(where: string, base: RequestOptions, prefix = '', secure = false) {
    this.where = where;
    this.#base = base;
    this.#prefix = prefix;
    this.#secure = secure;
    this.#agent = secure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** @throws UsageError for what is no address */
  static at(address: string, token: string | undefined): HttpTarget {
    const url = URL.parse(address);
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new UsageError(`--url must be an http or https address such as http://host:8765, not "${address}"`);
    }
    const { protocol, hostname, port, pathname } = url;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const where = `The service at ${url.origin}`;
    const base = { host, port: port || undefined, headers, timeout: TIMEOUT_MS };
    return new HttpTarget(where, base, pathname.replace(/\/+$/, ''), protocol === 'https:');
  }

  /**
   * The service that listens on a control socket; undefined where none does.
   *
   * @throws TelemetryError "refused" where this user may not open it
   */
  static async onSocket(socketPath: string, databasePath: string): Promise<HttpTarget | undefined> {
    const target = new HttpTarget(`The service of ${databasePath}`, { socketPath });
    try {
      await target.#send('GET', '/health');
      return target;
    } catch (error) {
      await target[Symbol.asyncDispose]();
      const code = systemCode(error) ?? '';
      if (code === 'EACCES' || code === 'EPERM') {
        const why = `The service of ${databasePath} belongs to another user: its control socket ${socketPath} may not be opened.`;
        throw new TelemetryError('refused', `${why} Run this command as that user.`, { cause: error });
      }
      if (/^(ENOENT|ECONNREFUSED|ENOTSOCK|ENOTDIR|EINVAL|ENAMETOOLONG)$/.test(code)) return undefined;
      throw target.#noAnswer(error);
    }
  }

  async request(method: Method, path: string, body?: string): Promise<Answer> {
    try {
      return await this.#send(method, path, body);
    } catch (error) {
      throw this.#noAnswer(error);
    }
  }

  #noAnswer(error: unknown): TelemetryError {
    const why = `${this.where} does not answer: ${describe(error) || systemCode(error)}. Is it running, and is the address right?`;
    return new TelemetryError('unavailable', why, { cause: error });
  }

  #send(method: Method, path: string, body?: string): Promise<Answer> {
    const send = this.#secure ? secureRequest : request;
    const headers = { ...this.#base.headers, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const options = { ...this.#base, agent: this.#agent, method, path: this.#prefix + path, headers };
    return new Promise((resolve, reject) => {
      const sent = send(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const { link, 'retry-after': retryAfter } = response.headers;
          const [next, retryAfterMs] = [nextOf(link?.toString()), retryAfterOf(retryAfter)];
          resolve({ status: response.statusCode ?? 0, next, retryAfterMs, body: Buffer.concat(chunks) });
        });
      });
      sent.once('error', reject);
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      sent.end(body);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}
