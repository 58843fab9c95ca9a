/** JSON from outside: bytes to text to value, each step with an error that says what is wrong where. */
import { invalid, TelemetryError } from '../errors.ts';
import { isJsonObject, parseJson } from '../run.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Objects and arrays in one body: each costs far more memory and time than the two bytes it may be sent as. */
const MAX_CONTAINERS = 1_000_000;

/**
 * @param what the bytes are, for the error: a request's body, or a line of the spool
 * @throws TelemetryError "invalid", or "too_large"
 */
export function parseBody(bytes: Uint8Array, what: 'body' | 'line' = 'body'): unknown {
  if (bytes.byteLength > MAX_CONTAINERS && containersIn(bytes) > MAX_CONTAINERS) {
    const why = `The ${what} holds more than ${MAX_CONTAINERS} objects and arrays. Send it in parts.`;
    throw new TelemetryError('too_large', why);
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed(`The ${what} is not valid UTF-8. Send JSON encoded as UTF-8.`);
  }
  if (text.trim() === '') throw malformed(`The ${what} is empty. Send a JSON document.`);
  try {
    return parseJson(text);
  } catch (error) {
    // V8 quotes the text around the fault; the caller knows what it sent, logs must not.
    const where = /position \d+/.exec(String(error))?.[0];
    throw malformed(`The ${what} is not valid JSON${where ? ` (at ${where})` : ''}.`);
  }
}

/**
 * The items of a batch: the array itself, or `runs` of `{"runs": […]}`.
 *
 * @throws TelemetryError "invalid", or "too_large" over `maxRuns`
 */
export function parseBatch(bytes: Uint8Array, maxRuns: number): { items: unknown[]; wrapped: boolean } {
  const body = parseBody(bytes);
  const wrapped = isJsonObject(body);
  const items = wrapped ? body.runs : body;
  if (!Array.isArray(items)) {
    const loc = wrapped ? ['body', 'runs'] : ['body'];
    throw invalid([
      { type: 'list_type', loc, msg: 'Input should be an array of runs, or {"runs": [...]}', input: null },
    ]);
  }
  if (items.length > maxRuns) {
    throw new TelemetryError(
      'too_large',
      `The batch has ${items.length} runs; at most ${maxRuns} are taken. Send it in parts.`,
    );
  }
  return { items, wrapped };
}

function malformed(msg: string): TelemetryError {
  return invalid([{ type: 'json_invalid', loc: ['body'], msg, input: null }]);
}

function containersIn(bytes: Uint8Array): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) inString = !inString;
    else if (inString && byte === 0x5c) at++;
    else if (!inString && (byte === 0x5b || byte === 0x7b)) count++;
  }
  return count;
}
