import type { IncomingHttpHeaders } from 'node:http';
import type { ReaderPool } from '../actors/readers/handle.ts';
import type { SpoolHandle } from '../actors/spool/handle.ts';
import type { WriterHandle } from '../actors/writer/handle.ts';
import type { HttpConfig } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { LoopDelay } from './prometheus/loop-delay.ts';
import type { Reply } from './reply.ts';
import type { Traffic } from './traffic.ts';

/** What the handlers work with. */
export interface Services {
  writer: WriterHandle;
  readers: ReaderPool;
  spool: SpoolHandle;
  http: HttpConfig;
  log: Logger;
  version: string;
  /** What was answered over the port; /metrics tells of it. */
  traffic: Traffic;
  /** Undefined where the main thread is not ours alone. */
  loopDelay?: LoopDelay | undefined;
}

/** One request, as a handler sees it. */
export interface Call {
  /** The route's pattern, such as /api/v1/runs/{event_id}. */
  endpoint: string;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  path: string;
  /** The request's headers; none where it came without a socket. */
  headers: IncomingHttpHeaders;
  /** Milliseconds since the request came. */
  elapsed(): number;
  /** Aborted when the client goes away; made for whoever asks, for most requests are answered before. */
  readonly signal: AbortSignal;
  /** Makes an answer that may be large when it is its turn. @throws TelemetryError "busy" where too much waits to be read */
  inTurn: <T>(make: () => Promise<T>) => Promise<T>;
  /** The body's bytes. @param limit largest size taken */
  body(limit: number): Promise<Uint8Array>;
}

export type Handler = (call: Call, services: Services) => Promise<Reply> | Reply;

/** @param target path and query, as in the request's first line */
export function createCall(target: string, { endpoint, params, headers, signal, inTurn, body }: Given): Call {
  const started = performance.now();
  const { pathname, search } = split(target);
  let query: URLSearchParams | undefined;
  return {
    endpoint,
    params,
    path: pathname,
    headers,
    get query() {
      return (query ??= queryOf(search));
    },
    elapsed: () => Math.round((performance.now() - started) * 1000) / 1000,
    get signal() {
      return signal();
    },
    inTurn,
    body,
  };
}

/** Each costs a look for every filter, and a place in the next page's address. */
const MAX_PARAMETERS = 1_000;

function queryOf(search: string): URLSearchParams {
  let count = 1;
  for (let at = search.indexOf('&'); at !== -1; at = search.indexOf('&', at + 1)) count++;
  if (count <= MAX_PARAMETERS) return new URLSearchParams(search);
  throw new TelemetryError(
    'bad_request',
    `The query has more than ${MAX_PARAMETERS} parameters. Ask for less at once.`,
  );
}

interface Given extends Pick<Call, 'endpoint' | 'params' | 'headers' | 'inTurn' | 'body'> {
  signal: () => AbortSignal;
}

export function split(url: string): { pathname: string; search: string } {
  const at = url.indexOf('?');
  return at === -1 ? { pathname: url, search: '' } : { pathname: url.slice(0, at), search: url.slice(at + 1) };
}

/** The target of a request as a path; what is sent to a proxy names the host before it. */
export const originForm = (target: string): string =>
  target.startsWith('/')
    ? target
    : target.replace(/^https?:\/\/[^/?#]*(?=([/?#]?))/i, (_, next) => (next === '/' ? '' : '/'));
