/**
 * The errors of the platform: few codes, each with one meaning, and the form in which they cross a
 * thread. `http/errors.ts` is the only place that turns a code into a status.
 */
export type ErrorCode =
  | 'bad_request' // the request cannot be understood: 400
  | 'invalid' // a value is wrong, `issues` names each: 422
  | 'not_found' // 404
  | 'too_large' // over a configured bound: 413
  | 'busy' // a bounded queue is full, try again: 503
  | 'unavailable' // the database cannot be reached now, the outcome may be unknown: 503
  | 'damaged' // the database's file is, and waiting does not help: 500
  | 'full' // no space left on the device: 507
  | 'refused' // the service must not start (configuration, lock, schema): exit 1
  | 'internal'; // a fault of ours: 500

/** One wrong value, in the shape existing clients parse. `loc` leads from "body" or "query" to the value. */
export interface Issue {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
}

export interface WireError {
  name: string;
  code: ErrorCode;
  message: string;
  issues?: Issue[] | undefined;
  cause?: string | undefined;
}

/** What a command or query answered: an error is a value here, for thrown ones lose their code between threads. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: WireError };

export class TelemetryError extends Error {
  readonly code: ErrorCode;
  readonly issues: Issue[] | undefined;

  constructor(code: ErrorCode, message: string, options: { issues?: Issue[] | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TelemetryError';
    this.code = code;
    this.issues = options.issues;
  }
}

export function invalid(issues: Issue[]): TelemetryError {
  const first = issues[0];
  return new TelemetryError('invalid', first ? `${first.loc.join('.')}: ${first.msg}` : 'Invalid input', { issues });
}

export function toWire(error: unknown): WireError {
  if (error instanceof TelemetryError) {
    const { name, code, message, issues } = error;
    return { name, code, message, issues, cause: error.cause === undefined ? undefined : describe(error.cause) };
  }
  const name = error instanceof Error ? error.name : 'Error';
  return { name, code: 'internal', message: describe(error), cause: error instanceof Error ? error.stack : undefined };
}

export function fromWire(wire: WireError): TelemetryError {
  const error = new TelemetryError(wire.code, wire.message, { issues: wire.issues, cause: wire.cause });
  error.name = wire.name;
  return error;
}

export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw fromWire(outcome.error);
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or SQLite error ("ENOENT", "SQLITE_FULL"), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
