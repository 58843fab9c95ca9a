/** What a service answers, and what an answer that is no success means. */
import { type ErrorCode, TelemetryError } from '../errors.ts';
import { isJsonObject, parseJson, parsePlainJson } from '../run.ts';
import { cut } from '../run/text.ts';

export type Method = 'GET' | 'POST' | 'PATCH';

export interface Answer {
  status: number;
  /** Of the Link header with rel="next": path and query; undefined where nothing follows. */
  next: string | undefined;
  /** After how long a refused request may be sent again, in milliseconds. */
  retryAfterMs: number | undefined;
  body: Uint8Array;
}

export interface Target extends AsyncDisposable {
  /** For messages: "the service at http://…". */
  readonly where: string;
  /** Whether a service answers, and not this process. */
  readonly live: boolean;
  /** Takes a line for whoever waits for an answer. */
  note?: (line: string) => void;
  /** @throws TelemetryError "unavailable" where there is no answer */
  request(method: Method, path: string, body?: string): Promise<Answer>;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request',
  401: 'refused',
  404: 'not_found',
  413: 'too_large',
  422: 'invalid',
  429: 'busy',
  503: 'unavailable',
  507: 'full',
};

/** The parsed body of a successful answer. @throws TelemetryError in the service's words; "internal" for what is no JSON */
export function valueOf<T>(answer: Answer, where: string): T {
  const text = Buffer.from(answer.body).toString();
  if (answer.status >= 200 && answer.status < 300) return jsonIn(text, where, parsePlainJson) as T;
  const remedy = answer.status === 401 ? '. Set TELEMETRY_API_AUTH_TOKEN to the token of the service' : '';
  const why = `${where} answered ${answer.status}: ${detailOf(text)}${remedy}`;
  throw new TelemetryError(CODES[answer.status] ?? 'internal', why);
}

/** The run that a successful answer is. @throws TelemetryError as `valueOf`; "internal" for what is no run */
export function runOf<T>(answer: Answer, where: string): T {
  if (answer.status !== 200) valueOf(answer, where);
  const value = jsonIn(Buffer.from(answer.body).toString(), where, parseJson);
  if (!isRun(value)) throw strange(where);
  return value as T;
}

/** The runs that the answer of a list is. @throws TelemetryError as `runOf` */
export function runsOf<T>(answer: Answer, where: string): T[] {
  if (answer.status !== 200) valueOf(answer, where);
  const value = jsonIn(Buffer.from(answer.body).toString(), where, parseJson);
  if (!Array.isArray(value) || !value.every(isRun)) throw strange(where);
  return value as T[];
}

const isRun = (value: unknown): boolean => isJsonObject(value) && typeof value.event_id === 'string';

function jsonIn(text: string, where: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    throw strange(where);
  }
}

/** What answers is something else: a proxy, a page for people. */
export const strange = (where: string): TelemetryError =>
  new TelemetryError('internal', `${where} does not answer as a telemetry service does. Is the address right?`);

function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail: string | { loc: unknown[]; msg: string }[] };
    if (typeof detail === 'string') return detail;
    return detail.map(({ loc, msg }) => `${loc.slice(1).join('.')}: ${msg}`).join('; ');
  } catch {
    return cut(text, 200).trim() || '(nothing)';
  }
}

/** Seconds of a Retry-After header in milliseconds. */
export function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** The address behind rel="next" of a Link header. */
export function nextOf(link: string | undefined): string | undefined {
  return /<([^>]+)>; rel="next"/.exec(link ?? '')?.[1];
}
