/** The front end: polka with the route table, one wrapper around every handler, orderly closing. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import polka, { type Polka, type Request } from 'polka';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { addressReader } from './address.ts';
import { createAuth } from './auth.ts';
import { createCall, originForm, type Services } from './call.ts';
import { listenPrivately } from './control-socket.ts';
import { HttpError, replyOf } from './errors.ts';
import { Intake } from './intake/intake.ts';
import { logError } from './logging.ts';
import { noMatch } from './no-match.ts';
import { documented } from './openapi/path.ts';
import { RateLimiter } from './rate-limit.ts';
import { contentOf, type Reply, send } from './reply.ts';
import { CONTROL_ROUTES, type Route, ROUTES } from './routes.ts';
import { Connections } from './sockets/connections.ts';
import { connectionsWithin } from './sockets/descriptors.ts';
import { Turns } from './sockets/turns.ts';
import { tooMuchUnread, Unsent } from './sockets/unsent.ts';

const TIMEOUTS = {
  headersTimeout: 10_000,
  // Of requests whose body nobody wants; others are in the care of the intake, which answers.
  requestTimeout: 70_000,
  keepAliveTimeout: 65_000,
  // headersTimeout and requestTimeout are looked at this often only.
  connectionsCheckingInterval: 5_000,
};

/** How often clients that send or read too slowly are looked for. */
const LOOK_EVERY_MS = 1_000;
/** Operators are few, and their socket must not take the port's descriptors. */
const CONTROL_CONNECTIONS = 16;

type Guard = (request: IncomingMessage) => Record<string, string>;

export class HttpServer {
  readonly #services: Services;
  readonly #socket: string | undefined;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #intake: Intake;
  readonly #unsent = new Unsent();
  readonly #turns: Turns;
  #closing = false;
  #looking: NodeJS.Timeout | undefined;

  /** @param socket path of the local socket for operators, instead of the port: all routes, for whoever may open it */
  constructor(services: Services, socket?: string) {
    this.#services = services;
    this.#socket = socket;
    this.#server = createServer(TIMEOUTS);
    this.#intake = new Intake(services.http.maxReceivingBytes);
    const { readers } = services;
    // One thread fewer than there are, so that small answers find one.
    this.#turns = new Turns(this.#unsent, {
      atOnce: Math.max(1, readers.threads.length - 1),
      waiting: readers.maxQueue,
    });
    this.#connections = new Connections(this.#server, {
      halfOpen: socket === undefined,
      makeWay: () => this.#intake.makeWay() || this.#unsent.makeWay(),
      onRefused: () => this.#count(503, 0),
    });
    const app: Polka = polka({
      server: this.#server,
      onNoMatch: (request, response): void => this.#answer(response, noMatch(app, request.path)),
      onError: (error, request, response) => this.#fail(error, request.path, response),
    });
    const guard: Guard = socket === undefined ? this.#guard() : () => ({});
    for (const route of socket === undefined ? ROUTES : [...ROUTES, ...CONTROL_ROUTES])
      app.add(route.method, route.path, (request, response) => this.#serve(route, guard, request, response));
    const handle = app.handler as (request: IncomingMessage, response: ServerResponse) => void;
    this.#server.on('request', (request, response) => {
      if (!this.#connections.has(request.socket)) return;
      request.url = originForm(request.url ?? '/');
      handle(request, response);
    });
  }

  /** @returns the address, such as http://127.0.0.1:8765, or the socket's path @throws TelemetryError "refused" where it is taken */
  async listen(): Promise<string> {
    const { host, port } = this.#services.http;
    this.#connections.max = this.#maxConnections();
    this.#looking = setInterval(() => {
      this.#intake.look();
      this.#unsent.look();
    }, LOOK_EVERY_MS).unref();
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
    clearInterval(this.#looking);
  }

  /** Cuts what is still open. */
  abort(): void {
    this.#server.closeAllConnections();
  }

  /** Asked when everything else is open: what is left of the descriptors is for connections. */
  #maxConnections(): number {
    const { maxConnections: wanted } = this.#services.http;
    if (this.#socket !== undefined) return CONTROL_CONNECTIONS;
    const taken = connectionsWithin(wanted);
    if (wanted !== undefined && taken < wanted) {
      this.#services.log.warning(
        `TELEMETRY_MAX_CONNECTIONS is ${wanted}, but the limit on open files leaves ${taken} connections; raise it (ulimit -n)`,
      );
    }
    return taken;
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
      if (!this.#unsent.takes(request.socket, 0)) throw tooMuchUnread();
      const body = (limit: number): Promise<Uint8Array> => this.#intake.collect(request, limit);
      const { params, headers: asked } = request;
      const call = createCall(request.url, {
        endpoint,
        params,
        headers: asked,
        signal: () => this.#goneSignal(response),
        inTurn: (make) => this.#turns.take(request.socket, make),
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

  #answer(response: ServerResponse, asked: Reply, since = performance.now()): void {
    if (response.headersSent || response.destroyed) return this.#count(asked.status, performance.now() - since);
    const { socket } = response.req;
    let reply = asked;
    let content = contentOf(reply);
    if (!this.#unsent.takes(socket, Buffer.byteLength(content))) {
      reply = replyOf(tooMuchUnread());
      content = contentOf(reply);
    }
    const onMoved = (): void => this.#unsent.moved(socket);
    const sent = send(response, reply, content, { closing: this.#closing, onMoved });
    if (!sent) this.#unsent.add(socket, response, Buffer.byteLength(content));
    this.#count(reply.status, performance.now() - since);
  }

  #count(status: number, milliseconds: number): void {
    // What operators ask over their socket is no traffic.
    if (this.#socket === undefined) this.#services.traffic.answered(status, milliseconds);
  }

  /** Aborted when the client goes away before it is answered. To abort costs more than all else about a request. */
  #goneSignal(response: ServerResponse): AbortSignal {
    const gone = new AbortController();
    const forget = this.#connections.whenGone(response.req.socket, () => gone.abort());
    response.once('close', forget);
    return gone.signal;
  }
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
