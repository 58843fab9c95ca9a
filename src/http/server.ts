/** The front end: polka with the route table, one wrapper around every handler, orderly closing. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import polka, { type Polka, type Request } from 'polka';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { addressReader } from './address.ts';
import { createAuth } from './auth.ts';
import { Intake } from './body.ts';
import { createCall, type Services } from './call.ts';
import { Connections } from './connections.ts';
import { listenPrivately } from './control-socket.ts';
import { HttpError, replyOf } from './errors.ts';
import { logError } from './logging.ts';
import { noMatch } from './no-match.ts';
import { documented } from './openapi/path.ts';
import { RateLimiter } from './rate-limit.ts';
import { type Reply, send } from './reply.ts';
import { CONTROL_ROUTES, type Route, ROUTES } from './routes.ts';

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  // headersTimeout and requestTimeout are looked at this often only.
  connectionsCheckingInterval: 5_000,
};

type Guard = (request: IncomingMessage) => Record<string, string>;

export class HttpServer {
  readonly #services: Services;
  readonly #socket: string | undefined;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #intake: Intake;
  #closing = false;

  /** @param socket path of the local socket for operators, instead of the port: all routes, for whoever may open it */
  constructor(services: Services, socket?: string) {
    this.#services = services;
    this.#socket = socket;
    this.#server = createServer(TIMEOUTS);
    this.#connections = new Connections(this.#server);
    this.#intake = new Intake(services.http.maxReceivingBytes);
    const app: Polka = polka({
      server: this.#server,
      onNoMatch: (request, response): void => this.#answer(response, noMatch(app, request.path)),
      onError: (error, request, response) => this.#fail(error, request.path, response),
    });
    const guard: Guard = socket === undefined ? this.#guard() : () => ({});
    for (const route of socket === undefined ? ROUTES : [...ROUTES, ...CONTROL_ROUTES])
      app.add(route.method, route.path, (request, response) => this.#serve(route, guard, request, response));
    this.#server.on('request', app.handler as (request: IncomingMessage, response: ServerResponse) => void);
  }

  /** @returns the address, such as http://127.0.0.1:8765, or the socket's path @throws TelemetryError "refused" where it is taken */
  async listen(): Promise<string> {
    const { host, port } = this.#services.http;
    if (this.#socket !== undefined) {
      listenPrivately(this.#server, this.#socket);
      await once(this.#server, 'listening');
      return this.#socket;
    }
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      throw new TelemetryError('refused', refusal(error, host, port), { cause: error });
    }
    const { address, family, port: bound } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  }

  /** Accepts no more, and resolves when every request taken has been answered. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#connections.close();
    await closed;
  }

  /** Cuts what is still open. */
  abort(): void {
    this.#server.closeAllConnections();
  }

  /** Rate limit and authentication, for every route that is not open. @returns headers for the answer */
  #guard(): Guard {
    const { token, rateLimit, trustedProxies } = this.#services.http;
    const authenticate = createAuth(token);
    const addressOf = addressReader(trustedProxies);
    const limiter = rateLimit === undefined ? undefined : new RateLimiter(rateLimit);
    return (request) => {
      const verdict = limiter?.check(addressOf(request));
      const headers: Record<string, string> = verdict
        ? { 'X-RateLimit-Limit': String(limiter?.limit), 'X-RateLimit-Remaining': String(verdict.remaining) }
        : {};
      if (verdict && !verdict.allowed) {
        const detail = `Rate limit exceeded. Max ${limiter?.limit} requests per minute.`;
        throw new HttpError(429, detail, { ...headers, 'Retry-After': String(verdict.retryAfter) });
      }
      authenticate(request.headers.authorization);
      return headers;
    };
  }

  async #serve(route: Route, guard: Guard, request: Request, response: ServerResponse): Promise<void> {
    const endpoint = documented(route.path);
    const since = performance.now();
    let headers: Record<string, string> = {};
    try {
      if (!route.open) headers = guard(request);
      const body = (limit: number): Promise<Uint8Array> => this.#intake.collect(request, limit);
      const { params, headers: asked } = request;
      const call = createCall(request.url, {
        endpoint,
        params,
        headers: asked,
        signal: () => goneSignal(response),
        body,
      });
      const reply = await route.handler(call, this.#services);
      this.#answer(response, { ...reply, headers: { ...headers, ...reply.headers } }, since);
    } catch (error) {
      this.#fail(error, endpoint, response, headers, since);
    }
  }

  #fail(error: unknown, endpoint: string, response: ServerResponse, headers = {}, since?: number): void {
    const reply = error instanceof HttpError ? error.reply : replyOf(error);
    if (reply.status >= 500 && !response.destroyed) logError(this.#services.log, endpoint, error);
    this.#answer(response, { ...reply, headers: { ...headers, ...reply.headers } }, since);
  }

  #answer(response: ServerResponse, reply: Reply, since = performance.now()): void {
    send(response, reply, this.#closing);
    // What operators ask over their socket is no traffic.
    if (this.#socket === undefined) this.#services.traffic.answered(reply.status, performance.now() - since);
  }
}

/** Aborted when the client goes away before it is answered. To abort costs more than all else about a request. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableEnded) gone.abort();
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}

function refusal(error: unknown, host: string, port: number): string {
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop the other program, or choose a port with --port or TELEMETRY_API_PORT.`;
    case 'EACCES':
      return `Port ${port} needs rights this user does not have. Choose one above 1023 with --port or TELEMETRY_API_PORT.`;
    default:
      return `Cannot listen on ${host}:${port}: ${describe(error)}. Check TELEMETRY_API_HOST and TELEMETRY_API_PORT.`;
  }
}
