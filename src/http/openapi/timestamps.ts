/**
 * A timestamp as a JSON Schema: exactly what `run/timestamp.ts` takes, but for the days of the months, and for an offset
 * that leads out of the years. No lookahead: not every language that clients are generated for has it.
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

const EXTENDED = `-${MONTH}-${DAY}([Tt ]${HOUR}:${MINUTE}(:${MINUTE}${FRACTION})?)? ?${OFFSET}`;
const BASIC = `${MONTH}${DAY}[Tt]${HOUR}${MINUTE}(${MINUTE}${FRACTION})?${OFFSET}`;

export const TIMESTAMP: Schema = { type: 'string', pattern: `^${YEAR}(${EXTENDED}|${BASIC})$` };
