/** The front end without a socket: the same routes and answers, the operator's too, for whoever lives in this very process. */
import polka, { type Polka } from 'polka';
import { createCall, type Services, split } from './call.ts';
import { replyOf } from './errors.ts';
import { tooLarge } from './intake/growing.ts';
import { logError } from './logging.ts';
import { noMatch } from './no-match.ts';
import { documented } from './openapi/path.ts';
import type { Reply } from './reply.ts';
import { CONTROL_ROUTES, type Route, ROUTES } from './routes.ts';

export class InProcess {
  readonly #services: Services;
  readonly #routes = new Map<unknown, Route>();
  // Never listens: it only finds routes, by the rules of the one that does.
  readonly #app: Polka = polka();

  constructor(services: Services) {
    this.#services = services;
    for (const route of [...ROUTES, ...CONTROL_ROUTES]) {
      const marker = (): void => undefined;
      this.#routes.set(marker, route);
      this.#app.add(route.method, route.path, marker);
    }
  }

  /**
   * Answers as the service would, without token and rate limit.
   *
   * @param target path and query, such as /api/v1/runs?limit=10
   * @param body JSON text
   */
  async request(method: Route['method'], target: string, body = ''): Promise<Reply> {
    const { pathname } = split(target);
    const { params, handlers } = this.#app.find(method, pathname);
    const route = handlers.map((handler) => this.#routes.get(handler)).find((found) => found !== undefined);
    if (!route) return noMatch(this.#app, pathname);
    const endpoint = documented(route.path);
    // A promise, so that a body that is too large is an answer too.
    const bytes = async (limit: number): Promise<Uint8Array> => Promise.resolve(bytesOf(body, limit));
    const signal = (): AbortSignal => new AbortController().signal;
    const inTurn = <T>(make: () => Promise<T>): Promise<T> => make();
    const call = createCall(target, { endpoint, params: decoded(params), headers: {}, signal, inTurn, body: bytes });
    try {
      return await route.handler(call, this.#services);
    } catch (error) {
      const reply = replyOf(error);
      if (reply.status >= 500) logError(this.#services.log, endpoint, error);
      return reply;
    }
  }
}

function decoded(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodedOr(value)]));
}

function decodedOr(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function bytesOf(body: string, limit: number): Uint8Array {
  const bytes = Buffer.from(body);
  if (bytes.byteLength > limit) throw tooLarge(limit);
  return bytes;
}
