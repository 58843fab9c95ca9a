/** JSON as it comes from outside: numbers kept to the digit, words for numbers mended, nesting and amounts bounded. */
import { eachLossy, requireBounded, requireWithin, TooMuchJson } from './json-bounds.ts';
import { withoutHalves, withoutWords } from './json-mend.ts';
import type { Mended } from './mended.ts';

/** Deepest nesting taken. SQLite's own JSON functions stop at 1,000. */
export const MAX_JSON_DEPTH = 500;

// What looks like a number that a double would change: 16 digits, or an exponent of three. Hashes are full of both, so it must
// also stand where a number may begin.
const LOSSY = /[[:,\s]-?\d(?:[\d.]{15}|[\d.]*[eE]\+?\d{3})/g;

// Stands before the digits of such a number while the rest is parsed; nobody outside can know it.
const MARK = `${crypto.randomUUID()}:`;

// TypeScript's library does not know this part of the language yet.
interface RawJson {
  rawJSON(text: string): unknown;
  /** Missing on Node 20, where the client asks what an object is, and parses nothing here. */
  isRawJSON?(value: unknown): boolean;
}
const raw = JSON as unknown as RawJson;

const isRaw = (value: unknown): value is { rawJSON: string } => raw.isRawJSON?.(value) === true;

/**
 * Parses JSON; an integer beyond 2^53 or a number beyond a double keeps its source text and is
 * written back unchanged by JSON.stringify. Not by a reviver: that recurses, and one deep value
 * would cost everything beside it. NaN, Infinity and -Infinity, which Python writes, are null.
 *
 * @param mended counts what was mended
 * @throws SyntaxError; a TooMuchJson where the text holds more than is taken
 */
export function parseJson(text: string, mended?: Mended): unknown {
  return tolerant(text, parseExactly, mended);
}

/** The same with every number as a double: for what is only looked at, and on a Node that keeps no source texts. */
export function parsePlainJson(text: string): unknown {
  return tolerant(text, JSON.parse);
}

function tolerant(text: string, parse: (text: string) => unknown, mended?: Mended): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TooMuchJson) throw error;
    const without = withoutWords(text);
    if (!without) throw error;
    const value = parse(without.text);
    mended?.note('not_a_number', without.values);
    return value;
  }
}

function parseExactly(text: string): unknown {
  requireBounded(text);
  // Node 20, where only clients run, keeps no source texts.
  if (raw.isRawJSON === undefined || !mayBeLossy(text)) return JSON.parse(text);
  return restored(JSON.parse(marked(text)), MAX_JSON_DEPTH + 8);
}

function mayBeLossy(text: string): boolean {
  if (/^-?\d/.test(text)) return true;
  LOSSY.lastIndex = 0;
  for (let found = LOSSY.exec(text); found; found = LOSSY.exec(text)) {
    if (mayBeginValue(text, found.index)) return true;
  }
  return false;
}

/** Whether JSON may have a value right behind `at`; within a string it rarely looks so. */
function mayBeginValue(text: string, at: number): boolean {
  const before = lastBefore(text, at + 1);
  switch (text[before]) {
    case undefined:
    case '[':
      return true;
    case ':':
      return text[lastBefore(text, before)] === '"';
    case ',':
      return /[\d"\]}el]/.test(text[lastBefore(text, before)] ?? '');
    default:
      return false;
  }
}

/** The place of the last character before `end` that is no white space; -1 where there is none. */
function lastBefore(text: string, end: number): number {
  let at = end - 1;
  while (at >= 0 && text.charCodeAt(at) <= SPACE) at--;
  return at;
}

const SPACE = 0x20;

/** The text with every number that a double would change as a marked string. @throws TooMuchJson */
function marked(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  eachLossy(text, 0, text.length, (at, number) => {
    parts.push(text.slice(copied, at), `"${MARK}${number}"`);
    copied = at + number.length;
    requireWithin({ 'numbers beyond a double': parts.length >> 1 });
  });
  return parts.join('') + text.slice(copied);
}

/** Puts the marked numbers back, down to a depth that nothing stored reaches. */
function restored(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? raw.rawJSON(value.slice(MARK.length)) : value;
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  if (Array.isArray(value)) {
    for (const [index, child] of value.entries()) value[index] = restored(child, depth - 1);
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    // A number where a name must stand.
    if (key.startsWith(MARK)) throw new SyntaxError('Expected a property name');
    const child = object[key];
    const value = restored(child, depth - 1);
    // Assigning to __proto__ would set the prototype.
    if (value !== child) define(object, key, value);
  }
  return object;
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The source of a number that a double cannot hold; undefined for every other value. */
export function digitsOf(value: unknown): string | undefined {
  return isRaw(value) ? value.rawJSON : undefined;
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRaw(value);
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
export function jsonObjectOf(value: unknown, mended?: Mended): Record<string, unknown> | undefined {
  try {
    const object = typeof value === 'string' ? parseJson(value, mended) : value;
    return isJsonObject(object) ? object : undefined;
  } catch {
    return undefined;
  }
}

/** Why a JSON object that is given as text is not taken though it may be one; undefined where that is not why. */
export function tooMuchIn(value: unknown): string | undefined {
  try {
    if (typeof value === 'string') parseJson(value);
  } catch (error) {
    if (error instanceof TooMuchJson) return `Input should hold at most ${error.what}`;
  }
  return undefined;
}

/**
 * A JSON object as it is stored: whole characters only, for one half makes a whole list unreadable to some who read it.
 *
 * @param value an object, or the text of one
 */
export function storedJson(value: unknown, mended?: Mended): string {
  const object = jsonObjectOf(value, mended);
  const json = JSON.stringify(object);
  // As JSON.stringify writes a surrogate that is alone; a pair it writes as it is.
  if (!json.includes(String.raw`\ud`)) return json;
  const whole = withoutHalves(object);
  if (whole.texts === 0) return json;
  mended?.note('half_character', whole.texts);
  return JSON.stringify(whole.value);
}
