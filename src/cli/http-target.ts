/** A service over HTTP: by its address and token, or by the control socket beside its database. */
import { Agent, request, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { type Answer, type Method, nextOf, retryAfterOf } from './answer.ts';
import { UsageError } from './exit.ts';
import type { Target } from './answer.ts';

/** For how long a service may say nothing, in milliseconds. */
export interface Bounds {
  /** Until it has shown that it is there. */
  probeMs: number;
  requestMs: number;
  /** Where what is asked for takes as long as the database is large. */
  longMs: number;
}

const BOUNDS: Bounds = { probeMs: 10_000, requestMs: 120_000, longMs: 24 * 3_600_000 };
const LONG = /^\/control\/(copy|reindex|shrink|optimize)$/;

/** The service hangs, or its answer was lost. */
class NoAnswer extends Error {}

export class HttpTarget implements Target {
  readonly where: string;
  readonly live = true;
  note?: (line: string) => void;
  readonly #base: RequestOptions;
  readonly #prefix: string;
  readonly #secure: boolean;
  readonly #agent: Agent;
  readonly #bounds: Bounds;

  private constructor(where: string, base: RequestOptions, bounds: Bounds, prefix = '', secure = false) {
    this.where = where;
    this.#base = base;
    this.#bounds = bounds;
    this.#prefix = prefix;
    this.#secure = secure;
    this.#agent = secure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** @throws UsageError for what is no address, or has more in it */
  static at(address: string, token: string | undefined, bounds = BOUNDS): HttpTarget {
    const url = addressOf(address);
    const { protocol, hostname, port, pathname } = url;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const where = `The service at ${url.origin}`;
    const base = { host, port: port || undefined, headers };
    return new HttpTarget(where, base, bounds, pathname.replace(/(?<!\/)\/+$/, ''), protocol === 'https:');
  }

  /**
   * The service that listens on a control socket; undefined where none does.
   *
   * @throws TelemetryError "refused" where this user may not open it, "unavailable" where it takes and does not answer
   */
  static async onSocket(socketPath: string, databasePath: string, bounds = BOUNDS): Promise<HttpTarget | undefined> {
    const target = new HttpTarget(`The service of ${databasePath}`, { socketPath }, bounds);
    try {
      await target.#send('GET', '/health', undefined, bounds.probeMs);
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
    const { requestMs, longMs } = this.#bounds;
    try {
      return await this.#send(method, path, body, method === 'POST' && LONG.test(path) ? longMs : requestMs);
    } catch (error) {
      throw this.#noAnswer(error);
    }
  }

  #noAnswer(error: unknown): TelemetryError {
    const reason = describe(error) || systemCode(error);
    const remedy =
      this.#base.socketPath !== undefined && error instanceof NoAnswer
        ? 'It hangs, or has too much to do: see its log, and start it again if it stays so.'
        : 'Is it running, and is the address right?';
    return new TelemetryError('unavailable', `${this.where} does not answer: ${reason}. ${remedy}`, { cause: error });
  }

  #send(method: Method, path: string, body: string | undefined, timeout: number): Promise<Answer> {
    const send = this.#secure ? secureRequest : request;
    const headers = { ...this.#base.headers, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const options = { ...this.#base, agent: this.#agent, method, path: this.#prefix + path, headers, timeout };
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
      sent.once('timeout', () => sent.destroy(new NoAnswer(`no answer within ${timeout / 1_000} s`)));
      sent.end(body);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }
}

/**
 * A service's address as --url gives it.
 *
 * @throws UsageError for what is no address, or has a user and a password in it, which no message repeats
 */
export function addressOf(address: string): URL {
  const url = URL.parse(address);
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  if (address.includes('@')) {
    const remedy = 'Set TELEMETRY_API_AUTH_TOKEN to the token of the service.';
    throw new UsageError(`--url takes no user and no password. ${remedy}`);
  }
  throw new UsageError(`--url must be an http or https address such as http://host:8765, not "${address}"`);
}
