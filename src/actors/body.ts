/** JSON from outside: bytes to text to value, each step with an error that says what is wrong where. */
import { invalid, TelemetryError } from '../errors.ts';
import { isJsonObject, parseJson } from '../run.ts';
import { amountsIn, type Bounded, isWithin, LEAST_BOUND, TooMuchJson } from '../run/json-bounds.ts';
import { type Items, itemsIn, stringMember } from '../run/json-items.ts';
import type { Mended } from '../run/mended.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * @param what the bytes are, for the error: a request's body, an item of a batch, or a line of the spool
 * @param mended counts what was mended
 * @throws TelemetryError "invalid", or "too_large"
 */
export function parseBody(bytes: Uint8Array, what: 'body' | 'item' | 'line' = 'body', mended?: Mended): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed(`The ${what} is not valid UTF-8. Send JSON encoded as UTF-8.`);
  }
  if (text.trim() === '') throw malformed(`The ${what} is empty. Send a JSON document.`);
  try {
    return parseJson(text, mended);
  } catch (error) {
    if (error instanceof TooMuchJson) throw tooMuch(what, error);
    // V8 quotes the text around the fault; the caller knows what it sent, logs must not.
    const where = /position \d+/.exec(String(error))?.[0];
    throw malformed(`The ${what} is not valid JSON${where ? ` (at ${where})` : ''}.`);
  }
}

/** An item of a batch that cannot be read, beside others that can. */
export class BadItem {
  /** Undefined where it cannot be told. */
  readonly eventId: string | undefined;
  readonly reason: string;

  constructor(eventId: string | undefined, reason: string) {
    this.eventId = eventId;
    this.reason = reason;
  }
}

export interface Batch {
  /** A BadItem for each that cannot be read. */
  items: unknown[];
  wrapped: boolean;
}

/**
 * The items of a batch: the array itself, or `runs` of `{"runs": […]}`. Where the body cannot be read as a whole, each is read
 * for itself, as far as they can be told apart.
 *
 * @throws TelemetryError "invalid", or "too_large" over `maxRuns`
 */
export function parseBatch(bytes: Uint8Array, maxRuns: number, mended?: Mended): Batch {
  let body: unknown;
  try {
    body = parseBody(bytes, 'body', mended);
  } catch (error) {
    return toldApart(bytes, maxRuns, error, mended);
  }
  const [wrapped, items] = isJsonObject(body) ? [true, body.runs] : [false, body];
  if (!Array.isArray(items)) {
    const loc = wrapped ? ['body', 'runs'] : ['body'];
    throw invalid([
      { type: 'list_type', loc, msg: 'Input should be an array of runs, or {"runs": [...]}', input: null },
    ]);
  }
  requireFew(items.length, maxRuns);
  return { items, wrapped };
}

/** @param error thrown where the items cannot be told apart, or are too much together */
function toldApart(bytes: Uint8Array, maxRuns: number, error: unknown, mended?: Mended): Batch {
  // A character a byte: places in the text are places in the bytes, and what JSON is made of stays what it is.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const found = itemsIn(text, maxRuns);
  const wrapped = found && wrappedBy(found);
  if (!found || wrapped === undefined) throw error;
  requireFew(found.count, maxRuns);
  requireBoundedTogether(text, found, error);
  const items = found.spans.map(([from, to]) => {
    try {
      return parseBody(bytes.subarray(from, to), 'item', mended);
    } catch (fault) {
      if (!(fault instanceof TelemetryError)) throw fault;
      return new BadItem(eventIdIn(text.slice(from, to)), fault.issues?.[0]?.msg ?? fault.message);
    }
  });
  return { items, wrapped };
}

/** Whether the array stood in an object; undefined where what is around the items is no batch itself. */
function wrappedBy({ around }: Items): boolean | undefined {
  try {
    const body = parseBody(Buffer.from(around, 'latin1'));
    if (isJsonObject(body)) return Array.isArray(body.runs) && body.runs.length === 0 ? true : undefined;
    return Array.isArray(body) ? false : undefined;
  } catch {
    return undefined;
  }
}

/** Throws `error`, of a body that holds too much, unless that is the doing of items that hold too much each for itself. */
function requireBoundedTogether(text: string, { spans }: Items, error: unknown): void {
  if (!(error instanceof TelemetryError && error.code === 'too_large')) return;
  const rest = amountsIn(text, 0, text.length);
  for (const [from, to] of spans) {
    // Shorter ones cannot.
    if (to - from < LEAST_BOUND) continue;
    const amounts = amountsIn(text, from, to);
    if (isWithin(amounts)) continue;
    for (const what of Object.keys(amounts) as Bounded[]) rest[what] -= amounts[what];
  }
  if (!isWithin(rest)) throw error;
}

function eventIdIn(item: string): string | undefined {
  const text = stringMember(item, 'event_id');
  try {
    const eventId = text === undefined ? undefined : parseBody(Buffer.from(text, 'latin1'), 'item');
    return typeof eventId === 'string' && eventId !== '' ? eventId : undefined;
  } catch {
    return undefined;
  }
}

function requireFew(count: number, maxRuns: number): void {
  if (count <= maxRuns) return;
  const why = `The batch has ${count} runs; at most ${maxRuns} are taken. Send it in parts.`;
  throw new TelemetryError('too_large', why);
}

function tooMuch(what: string, error: TooMuchJson): TelemetryError {
  return new TelemetryError('too_large', `The ${what} holds more than ${error.what}. Send it in parts.`);
}

function malformed(msg: string): TelemetryError {
  return invalid([{ type: 'json_invalid', loc: ['body'], msg, input: null }]);
}
