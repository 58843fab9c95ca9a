import { UsageError } from './exit.ts';

/** A whole number given as an option. @throws UsageError naming the option */
export function wholeNumber(name: string, value: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} must be a whole number ${range}, not "${value}"`);
}
