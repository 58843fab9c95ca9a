/** The lines that operators' greps and alerts rest on. */
import { toWire } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Call } from './call.ts';

const SLOW_MS = 1_000;

export function logQuery(log: Logger, call: Call, resultCount: number): void {
  const duration_ms = call.elapsed();
  log.info('Query executed', {
    endpoint: call.endpoint,
    query_params: parametersOf(call.query),
    result_count: resultCount,
    duration_ms,
    is_slow: duration_ms > SLOW_MS,
  });
}

export function logUpdate(log: Logger, call: Call, eventId: string, fields: readonly string[], success: boolean): void {
  log.info('Run updated', {
    endpoint: call.endpoint,
    event_id: eventId,
    fields_updated: fields,
    duration_ms: call.elapsed(),
    success,
  });
}

/** A failure of ours; what a client did wrong is in its answer. */
export function logError(log: Logger, endpoint: string, error: unknown): void {
  const { name, code, message, cause } = toWire(error);
  log.error(`Error in ${endpoint}: ${message}`, {
    endpoint,
    error_type: name,
    error_code: code,
    error_message: message,
    cause,
  });
}

/** What is logged of one request's parameters: so many, and so much of each. */
const MAX_LOGGED = 50;
const MAX_TEXT = 200;

/** Each parameter's value, or the list of them where it is repeated. */
function parametersOf(query: URLSearchParams): Record<string, string | string[]> {
  const found = new Map<string, string[]>();
  let count = 0;
  for (const [name, value] of query) {
    if (++count > MAX_LOGGED) {
      found.set('…', ['more']);
      break;
    }
    const values = found.get(short(name));
    if (values) values.push(short(value));
    else found.set(short(name), [short(value)]);
  }
  return Object.fromEntries(
    [...found].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

const short = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
