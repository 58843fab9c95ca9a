/** Whatever an older database may hold in a column, as the text, number or yes and no that the column is for. Pure. */
import { jsonObjectOf, withinDepth } from '../json.ts';
import { KINDS, NO_SOURCE, type SqlValue } from '../kinds.ts';
import { Mended } from '../mended.ts';
import { countIn, numberIn } from '../numbers.ts';
import { canonicalStatus } from '../status.ts';

/** A value as SQLite keeps it: INTEGER is a bigint, REAL a number. */
export type OlderValue = null | bigint | number | string | Uint8Array;
export type Given = Exclude<OlderValue, null>;

/** Takes down what was wrong with a value: only what is lost or guessed. */
export type Note = (what: string) => void;

/** The stored form of a value; null where nothing of it can be read. */
export type Reader = (value: Given, note: Note) => SqlValue;

const MAX = Number.MAX_SAFE_INTEGER;

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
  return numberIn(typeof value === 'string' ? value : (utf8Of(value) ?? ''));
}

/** Text; an empty one was never given. */
const text: Reader = (value, note) => {
  const given = textOf(value, note);
  if (given === '') return null;
  const stored = KINDS.text.store(given);
  if (stored !== given) note('characters that cannot be stored, replaced by U+FFFD');
  return stored;
};

const remote: Reader = (value, note) => {
  const given = text(value, note);
  return given === null ? null : KINDS.remote.store(String(given));
};

const source: Reader = (value, note) => {
  const given = text(value, note);
  if (given === null || KINDS.source.accepts(given)) return given;
  note(NO_SOURCE);
  return null;
};

const count: Reader = (value, note) => {
  if (value === '') return null;
  const plain = typeof value === 'string' ? countIn(value) : undefined;
  if (plain !== undefined) return plain;
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
  if (KINDS.boolean.accepts(value)) return KINDS.boolean.store(value);
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
  if (!/^\s*\{/.test(given)) return text(given, note);
  const mended = new Mended();
  const object = jsonObjectOf(given, mended);
  if (object === undefined || !withinDepth(object)) return text(given, note);
  const stored = KINDS.json.store(object, mended);
  mended.keep();
  const { not_a_number: numbers, half_character: halves } = mended.counts;
  if (numbers !== undefined) note('NaN or Infinity, taken for null');
  if (halves !== undefined) note('characters that cannot be stored, replaced by U+FFFD');
  return stored;
};

/** By the kinds of the fields; times have a file of their own. */
export const READERS = { id: text, reference: text, text, remote, source, count, boolean, status, json } as const;
