/** Whatever an older database may hold in a column, as the text, number or yes and no that the column is for. Pure. */
import { KINDS, type SqlValue } from '../kinds.ts';
import { jsonObjectOf, withinDepth } from '../json.ts';
import { canonicalStatus } from '../status.ts';

/** A value as SQLite keeps it: INTEGER is a bigint, REAL a number. */
export type OlderValue = null | bigint | number | string | Uint8Array;
export type Given = Exclude<OlderValue, null>;

/** Takes down what was wrong with a value: only what is lost or guessed. */
export type Note = (what: string) => void;

/** The stored form of a value; null where nothing of it can be read. */
export type Reader = (value: Given, note: Note) => SqlValue;

const MAX = Number.MAX_SAFE_INTEGER;
const DIGITS = /^[+-]?\d{1,30}$/;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,5})?$/i;
/** Longer text than this is no number that anyone has written. */
const MAX_NUMERAL = 400;

/** A value as text: numbers as SQLite prints them, blobs by their UTF-8. */
export function textOf(value: Given, note: Note): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : `${value}`;
  const text = utf8Of(value);
  if (text === undefined) note('bytes that are not UTF-8');
  return text ?? new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);
}

/** The text that bytes are in UTF-8; undefined where they are none. */
export function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A value as the number it is or spells; undefined where it is none. */
export function numberOf(value: Given): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  const text = (typeof value === 'string' ? value : (utf8Of(value) ?? '')).slice(0, MAX_NUMERAL + 1).trim();
  if (DIGITS.test(text)) return BigInt(text.replace(/^\+/, ''));
  return text.length <= MAX_NUMERAL && DECIMAL.test(text) ? Number(text) : undefined;
}

const text: Reader = (value, note) => {
  const given = textOf(value, note);
  const stored = KINDS.text.store(given);
  if (stored !== given) note('characters that cannot be stored, replaced by U+FFFD');
  return stored;
};

const remote: Reader = (value, note) => KINDS.remote.store(String(text(value, note)));

/** An identifier; one without a character is none. */
const id: Reader = (value, note) => text(value, note) || null;

const count: Reader = (value, note) => {
  if (value === '') return null;
  const given = numberOf(value);
  if (given === undefined) {
    note('not a number');
    return null;
  }
  if (given < 0) {
    note('negative');
    return null;
  }
  if (given > MAX) {
    note('over 2^53 - 1');
    return MAX;
  }
  // Plus 0, for there is a real -0 too.
  const whole = Math.floor(Number(given)) + 0;
  if (typeof given === 'number' && whole !== given) note('not a whole number, rounded down');
  return whole;
};

const boolean: Reader = (value, note) => {
  if (value === '') return null;
  const given = numberOf(value) ?? textOf(value, note).trim().toLowerCase();
  if (given === 'true' || given === 'false') return given === 'true' ? 1 : 0;
  if (typeof given === 'string') {
    note('neither yes nor no');
    return null;
  }
  // Both 0 and 0n.
  if (Number(given) === 0) return 0;
  if (Number(given) !== 1) note('neither 0 nor 1, taken for 1');
  return 1;
};

const status: Reader = (value, note) => canonicalStatus(textOf(value, note).trim().toLowerCase()) ?? null;

/** An object is written anew, as the service stores one; any other text stays what it is. */
const json: Reader = (value, note) => {
  const given = textOf(value, note);
  // Asked of the first character, for to let the parser fail costs more than to let it succeed.
  const object = /^\s*\{/.test(given) ? jsonObjectOf(given) : undefined;
  return object !== undefined && withinDepth(object) ? JSON.stringify(object) : text(given, note);
};

/** By the kinds of the fields; times have a file of their own. */
export const READERS = { id, text, remote, count, boolean, status, json } as const;
