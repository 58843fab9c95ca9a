/** The one place that gives an error its status and body. */
import { type ErrorCode, invalid, type Issue, type TelemetryError, toWire } from '../errors.ts';
import { excerpt } from '../run/check.ts';
import type { Reply } from './reply.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  invalid: 422,
  not_found: 404,
  too_large: 413,
  busy: 503,
  unavailable: 503,
  refused: 503,
  full: 507,
  damaged: 500,
  internal: 500,
};

/** Seconds after which a client may well try again. */
const RETRY_AFTER = { 'Retry-After': '1' };

export function replyOf(error: unknown): Reply {
  const { code, message, issues } = toWire(error);
  const status = STATUS[code];
  // An error that nobody foresaw shows nothing of itself.
  const detail = code === 'internal' ? 'Internal Server Error' : (issues ?? message);
  return { status, body: { detail }, ...(status === 503 && { headers: RETRY_AFTER }) };
}

/** A reply that ends a request early: authentication, limits, no such route. */
export class HttpError extends Error {
  readonly reply: Reply;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = 'HttpError';
    this.reply = { status, body: { detail }, headers };
  }
}

/** A wrong query parameter: 422 in the shape of a wrong body. */
export function invalidQuery(name: string, type: string, msg: string, input: unknown): TelemetryError {
  const issue: Issue = { type, loc: ['query', name], msg, input: excerpt(input) };
  return invalid([issue]);
}
