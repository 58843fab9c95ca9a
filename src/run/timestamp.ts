/**
 * Timestamps in one canonical form, `2026-01-10T12:00:00.000000+00:00` (UTC, microseconds, 32
 * characters), so that the order of the text is the order of time.
 */
const CANONICAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{6}\+00:00$/;
const EXTENDED =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)? ?(Z|z|[+-]\d\d(?::?\d\d)?)?$/;
const BASIC = /^(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(?:(\d\d)(?:[.,](\d{1,12}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Brings an ISO 8601 date-time (extended or basic, `T` or space, any offset; without one it is UTC;
 * a date alone is its midnight) to the canonical form. Digits beyond microseconds are cut.
 *
 * @returns undefined where the text is no such timestamp or leaves the years 0001 to 9999
 */
export function canonicalTimestamp(text: string): string | undefined {
  const known = recent.find((one) => one.text === text);
  if (known) return known.canonical;
  const canonical = canonicalOf(text);
  if (text.length <= LONGEST) recent[next++ % RECENT] = { text, canonical };
  return canonical;
}

// A record's times are asked for twice, to check and to store them, and are often the same.
const RECENT = 4;
const LONGEST = 64;
const recent: { text: string; canonical: string | undefined }[] = [];
let next = 0;

function canonicalOf(text: string): string | undefined {
  const exact = CANONICAL.exec(text);
  if (exact) return inRange(exact) ? text : undefined;
  const parts = EXTENDED.exec(text) ?? BASIC.exec(text);
  if (!parts || !inRange(parts)) return undefined;
  const offset = offsetMinutes(parts[8]);
  if (offset === undefined) return undefined;
  const micros = (parts[7] ?? '').slice(0, 6).padEnd(6, '0');
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = parts;
  if (offset === 0) return `${year}-${month}-${day}T${hour}:${minute}:${second}.${micros}+00:00`;
  const shifted = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  shifted.setTime(shifted.getTime() - offset * 60_000);
  const shiftedYear = shifted.getUTCFullYear();
  if (shiftedYear < 1 || shiftedYear > 9999) return undefined;
  return `${shifted.toISOString().slice(0, 19)}.${micros}+00:00`;
}

/** The canonical form of an instant given in milliseconds since the epoch. */
export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000+00:00`;
}

function inRange(parts: RegExpExecArray): boolean {
  const year = Number(parts[1]);
  const month = Number(parts[2]);
  const day = Number(parts[3]);
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (DAYS[month - 1] ?? 0) + (leap ? 1 : 0)) return false;
  return Number(parts[4] ?? 0) < 24 && Number(parts[5] ?? 0) < 60 && Number(parts[6] ?? 0) < 60;
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
