/** JSON as it comes from outside: numbers kept to the digit, nesting bounded. */

/** Deepest nesting taken. SQLite's own JSON functions stop at 1,000. */
export const MAX_JSON_DEPTH = 500;

// Only a text with one of these can hold a number that a double would change.
const LOSSY_NUMBER = /\d{16}|\d[eE]\+?\d{3}/;

// TypeScript's library does not know this part of the language yet.
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const raw = JSON as unknown as RawJson;
type Reviver = (this: unknown, key: string, value: unknown) => unknown;

/**
 * Parses JSON; an integer beyond 2^53 or a number beyond a double keeps its source text and is
 * written back unchanged by JSON.stringify.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  if (!LOSSY_NUMBER.test(text)) return JSON.parse(text);
  const keepSource = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    return exact ? value : raw.rawJSON(context.source);
  };
  return JSON.parse(text, keepSource as Reviver);
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !raw.isRawJSON(value);
}

/** Whether the value nests no deeper than `limit`; stops at the limit, so hostile input costs nothing. */
export function withinDepth(value: unknown, limit = MAX_JSON_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (limit === 0) return false;
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof child === 'object' && child !== null && !withinDepth(child, limit - 1)) return false;
  }
  return true;
}

/** The JSON object that the value is or, double-encoded, holds as text; undefined where it is neither. */
export function jsonObjectOf(value: unknown): Record<string, unknown> | undefined {
  let object = value;
  if (typeof value === 'string') {
    try {
      object = parseJson(value);
    } catch {
      return undefined;
    }
  }
  return isJsonObject(object) ? object : undefined;
}
