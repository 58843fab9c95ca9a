/**
 * Timestamps as JSON Schemas: exactly what `run/timestamp.ts` takes, or `run/times.ts`, but for the days of the months, for an offset
 * that leads out of the years, and for numbers too large or too small. No lookahead: not every language that clients are generated for has it.
 */
import type { Schema } from './operation.ts';

// There is no year 0.
const YEAR = '([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])';
const MONTH = '(0[1-9]|1[0-2])';
const DAY = '(0[1-9]|[12][0-9]|3[01])';
const HOUR = '([01][0-9]|2[0-3])';
const MINUTE = '[0-5][0-9]';
const FRACTION = '([.,][0-9]{1,12})?';
const OFFSET = `([Zz]|[+-]${HOUR}(:?${MINUTE})?)?`;
const TWO_OFFSETS = `([Zz]|[+-]${HOUR}(:?${MINUTE}Z?)?)?`;

const isoWith = (offset: string): string =>
  `${YEAR}(-${MONTH}-${DAY}([Tt ]${HOUR}:${MINUTE}(:${MINUTE}${FRACTION})?)? ?${offset}` +
  `|${MONTH}${DAY}[Tt]${HOUR}${MINUTE}(${MINUTE}${FRACTION})?${offset})`;
/** Since 1970, from 1973 on. */
const SINCE = '\\+?[0-9]{9,}\\.?[0-9]*([eE][+-]?[0-9]{1,5})?';

/** In a query. */
export const TIMESTAMP: Schema = { type: 'string', pattern: `^${isoWith(OFFSET)}$` };
/** In a run. */
export const RUN_TIMESTAMP: Schema = {
  type: ['string', 'number'],
  minimum: 1e8,
  pattern: `^\\s*(${isoWith(TWO_OFFSETS)}|${SINCE})\\s*$`,
};
