/** Times as programs write them: ISO 8601, nearly that, or a number since 1970. Pure. */
import { numberIn } from './numbers.ts';
import { canonicalTimestamp } from './timestamp.ts';

/** One past the last second of the year 9999. */
const END_OF_TIME = 253_402_300_800;
/** Longer text is no time that anyone has written. */
const LONGEST = 100;

// Below it there are years, dates without hyphens, and counts.
const LEAST = 1e8;
const UNITS = [
  { below: 1e11, perSecond: 1, name: 'seconds' },
  { below: 1e14, perSecond: 1e3, name: 'milliseconds' },
  { below: 1e17, perSecond: 1e6, name: 'microseconds' },
] as const;

/**
 * A time in canonical form; undefined where the value is none.
 *
 * @param note told what was guessed
 */
export function readTime(value: string | number | bigint, note?: (what: string) => void): string | undefined {
  if (typeof value !== 'string') return epochTime(Number(value), note);
  const exact = canonicalTimestamp(value);
  if (exact !== undefined || value.length > LONGEST) return exact;
  return loosely(value, note) ?? epochTime(Number(numberIn(value) ?? NaN), note);
}

/** With blanks around it, or with a Z behind its offset, as a careless program writes it. */
function loosely(text: string, note?: (what: string) => void): string | undefined {
  const trimmed = text.trim();
  const single = trimmed.replace(/([+-]\d\d:?\d\d)Z$/, '$1');
  const read = canonicalTimestamp(single);
  if (read !== undefined && single !== trimmed) note?.('two offsets, of which the first was taken');
  return read;
}

/** A number of seconds, milliseconds or microseconds since 1970, told apart by their size. */
function epochTime(value: number, note?: (what: string) => void): string | undefined {
  const unit = UNITS.find(({ below }) => value < below);
  if (!(value >= LEAST) || !unit || value / unit.perSecond >= END_OF_TIME) return undefined;
  note?.(`a number, taken for ${unit.name} since 1970`);
  const micros = Math.round(value * (1e6 / unit.perSecond));
  const milliseconds = Math.floor(micros / 1000);
  const rest = String(micros - milliseconds * 1000).padStart(3, '0');
  return `${new Date(milliseconds).toISOString().slice(0, 23)}${rest}+00:00`;
}
