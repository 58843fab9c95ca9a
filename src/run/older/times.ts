/** The times of a run from an older database: read each for itself, and where one is missing from the others. Pure. */
import { canonicalTimestamp } from '../timestamp.ts';
import { type Given, type Note, numberOf, utf8Of } from './values.ts';

export const EPOCH = '1970-01-01T00:00:00.000000+00:00';

/** One past the last second of the year 9999. */
const END_OF_TIME = 253_402_300_800;

/** A time in canonical form; undefined where the value is none. An empty text was never given, and is not noted. */
export function timeOf(value: Given, note: Note): string | undefined {
  if (value === '') return undefined;
  const text = value instanceof Uint8Array ? utf8Of(value) : value;
  const written = typeof text === 'string' ? (canonicalTimestamp(text) ?? loosely(text, note)) : undefined;
  const number = written === undefined ? numberOf(value) : undefined;
  const read = number === undefined ? written : epochTime(number, note);
  if (read === undefined) note('not a time');
  return read;
}

/** With blanks around it, or with a Z behind its offset, as a careless program writes it. */
function loosely(text: string, note: Note): string | undefined {
  const trimmed = text.trim();
  const single = trimmed.replace(/([+-]\d\d:?\d\d)Z$/, '$1');
  const read = canonicalTimestamp(single);
  if (read !== undefined && single !== trimmed) note('two offsets, of which the first was taken');
  return read;
}

const UNITS = [
  { below: 1e11, perSecond: 1, name: 'seconds' },
  { below: 1e14, perSecond: 1e3, name: 'milliseconds' },
  { below: 1e17, perSecond: 1e6, name: 'microseconds' },
] as const;

/** A number of seconds, milliseconds or microseconds since 1970, told apart by their size. */
function epochTime(number: bigint | number, note: Note): string | undefined {
  const value = Number(number);
  const unit = UNITS.find(({ below }) => value < below);
  if (!(value >= 0) || !unit || value / unit.perSecond >= END_OF_TIME) return undefined;
  note(`a number, taken for ${unit.name} since 1970`);
  const micros = Math.round(value * (1e6 / unit.perSecond));
  const milliseconds = Math.floor(micros / 1000);
  const rest = String(micros - milliseconds * 1000).padStart(3, '0');
  return `${new Date(milliseconds).toISOString().slice(0, 23)}${rest}+00:00`;
}

/** As far as they are known, in canonical form. */
export interface Times {
  created: string | undefined;
  updated: string | undefined;
  start: string | undefined;
  end: string | undefined;
}

/** Every time a row must have: what is missing is taken from what is nearest to it. */
export function completeTimes({ created, updated, start, end }: Times): Record<keyof Omit<Times, 'end'>, string> {
  const createdAt = created ?? start ?? updated ?? end ?? EPOCH;
  return {
    created: createdAt,
    start: start ?? created ?? updated ?? end ?? EPOCH,
    updated: updated ?? end ?? createdAt,
  };
}
