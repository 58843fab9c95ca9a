/** A command's body: bytes to text to value, each step with an error that says what is wrong where. */
import { invalid, TelemetryError } from '../../errors.ts';
import { isJsonObject, parseJson } from '../../run.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws TelemetryError "invalid" */
export function parseBody(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed('The body is not valid UTF-8. Send JSON encoded as UTF-8.');
  }
  if (text.trim() === '') throw malformed('The body is empty. Send a JSON document.');
  try {
    return parseJson(text);
  } catch (error) {
    // V8 quotes the text around the fault; the caller knows what it sent, logs must not.
    const where = /position \d+/.exec(String(error))?.[0];
    throw malformed(`The body is not valid JSON${where ? ` (at ${where})` : ''}.`);
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
