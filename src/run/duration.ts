/** How long a run took, from the texts of its times. Pure; also asked of rows that other programs wrote. */
import type { SqlValue } from './kinds.ts';

const CANONICAL_LENGTH = 32;
const DAY_S = 86_400;

/**
 * Whole milliseconds between two canonical timestamps, rounded down.
 *
 * @returns 0 where the end is not behind the start, or where one of them is no such timestamp
 */
export function durationBetween(start: SqlValue, end: SqlValue): number {
  if (!isCanonical(start) || !isCanonical(end) || end <= start) return 0;
  // Apart from the seconds: microseconds of a thousand years are no exact number.
  const micros = microsOf(end) - microsOf(start);
  const duration = (secondsOf(end) - secondsOf(start)) * 1_000 + Math.floor(micros / 1_000);
  // Not where there are letters among the digits.
  return duration > 0 ? duration : 0;
}

const isCanonical = (value: SqlValue): value is string =>
  typeof value === 'string' && value.length === CANONICAL_LENGTH && value.endsWith('+00:00');

/** Since the beginning of year 0, without a Date: that would cost more than to store the run. NaN where there are no digits. */
function secondsOf(text: string): number {
  const time = pair(text, 11) * 3_600 + pair(text, 14) * 60 + pair(text, 17);
  return daysOf(pair(text, 0) * 100 + pair(text, 2), pair(text, 5), pair(text, 8)) * DAY_S + time;
}

const microsOf = (text: string): number => (pair(text, 20) * 100 + pair(text, 22)) * 100 + pair(text, 24);

/** The number that two digits are. */
function pair(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** Years begin in March here, so that the leap day is the last of its year. */
function daysOf(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const sinceMarch = (month + 9) % 12;
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leaps + Math.floor((sinceMarch * 153 + 2) / 5) + day;
}
