import { define, refine, type Struct } from 'superstruct';
import { digitsOf, isJsonObject, jsonObjectOf, MAX_JSON_DEPTH, storedJson, tooMuchIn, withinDepth } from './json.ts';
import type { Mended } from './mended.ts';
import { canonicalStatus, STATUS_NAMES } from './status.ts';
import { canonicalTimestamp } from './timestamp.ts';
import { withoutCredentials } from './urls.ts';

export type SqlValue = string | number | null;

/**
 * One kind of value. `accepts` is the hot path's verdict; `struct` reaches the same one in its own
 * way and words the reason; `store` gives the column's value of an accepted one. None sees null.
 */
export interface Kind {
  sql: 'TEXT' | 'INTEGER';
  accepts(value: unknown): boolean;
  struct: Struct<unknown>;
  /** @param mended counts what is not stored as it came */
  store(value: never, mended?: Mended): SqlValue;
}

const UNSIGNED = /^\d{1,16}$/;
const REPLACEMENT = '\uFFFD';

function storeText(value: string): string {
  return value.isWellFormed() && !value.includes('\0') ? value : value.toWellFormed().replaceAll('\0', REPLACEMENT);
}

const string = define<unknown>('string_type', (value) => typeof value === 'string' || 'Input should be a string');

const identifier = refine(
  refine(string, 'string_too_short', (value) => value !== '' || 'Input should have at least 1 character'),
  'string_unicode',
  (value) =>
    (Buffer.from(value as string, 'utf8').toString('utf8') === value && !(value as string).includes('\0')) ||
    'Input should be well-formed Unicode without NUL characters',
);

// A number beyond a double is its digits here, so that the reason given is the true one.
const numeral = (value: unknown): unknown => digitsOf(value) ?? value;
const integer = define<unknown>('int_parsing', (given) => {
  const value = numeral(given);
  const whole =
    typeof value === 'number' ? Number.isInteger(value) : typeof value === 'string' && /^-?\d+$/.test(value);
  return whole || 'Input should be an integer, as a number or a numeric string';
});
const count = refine(
  refine(
    integer,
    'greater_than_equal',
    (value) => !String(numeral(value)).startsWith('-') || 'Input should be greater than or equal to 0',
  ),
  'less_than_equal',
  (value) =>
    (Number(numeral(value)) <= Number.MAX_SAFE_INTEGER && String(numeral(value)).length <= 16) ||
    `Input should be less than or equal to ${Number.MAX_SAFE_INTEGER}`,
);

const timestamp = refine(
  string,
  'datetime_parsing',
  (value) =>
    canonicalTimestamp(value as string) !== undefined ||
    'Input should be an ISO 8601 timestamp such as 2026-01-10T12:00:00Z',
);

const status = refine(
  string,
  'enum',
  (value) => STATUS_NAMES.includes(value as string) || `Input should be one of ${STATUS_NAMES.join(', ')}`,
);

const BOOLEANS = new Map<unknown, 0 | 1>([
  [true, 1],
  [false, 0],
  [1, 1],
  [0, 0],
  ['1', 1],
  ['0', 0],
  ['true', 1],
  ['false', 0],
]);
const boolean = define<unknown>(
  'bool_parsing',
  (value) =>
    typeof value === 'boolean' ||
    [0, 1, '0', '1', 'true', 'false'].includes(value as string) ||
    'Input should be true, false, 0 or 1',
);

const json = refine(
  define<unknown>(
    'dict_type',
    (value) =>
      jsonObjectOf(value) !== undefined ||
      (tooMuchIn(value) ?? 'Input should be a JSON object, or a string that holds one'),
  ),
  'too_deep',
  (value) => withinDepth(jsonObjectOf(value)) || `Input should nest at most ${MAX_JSON_DEPTH} levels deep`,
);

const isText = (value: unknown): boolean => typeof value === 'string';

export const KINDS = {
  /** Text that identifies: never empty, never repaired, for two ids must not collapse into one. */
  id: {
    sql: 'TEXT',
    accepts: (value) => typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0'),
    struct: identifier,
    store: (value: string) => value,
  },
  /** Any text; a NUL or lone surrogate becomes U+FFFD, for a run is not lost for one character. */
  text: { sql: 'TEXT', accepts: isText, struct: string, store: storeText },
  /** A git remote, stored without credentials. */
  remote: {
    sql: 'TEXT',
    accepts: isText,
    struct: string,
    store: (value: string) => withoutCredentials(storeText(value)),
  },
  /** An integer of 0 to 2^53 - 1, as a number or its digits. */
  count: {
    sql: 'INTEGER',
    accepts: (value) =>
      (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) ||
      (typeof value === 'string' && UNSIGNED.test(value) && Number(value) <= Number.MAX_SAFE_INTEGER),
    struct: count,
    store: (value: number | string) => Number(value) + 0,
  },
  boolean: {
    sql: 'INTEGER',
    accepts: (value) => BOOLEANS.has(value),
    struct: boolean,
    store: (value: unknown) => BOOLEANS.get(value) ?? 0,
  },
  /** ISO 8601 in, canonical out. */
  timestamp: {
    sql: 'TEXT',
    accepts: (value) => typeof value === 'string' && canonicalTimestamp(value) !== undefined,
    struct: timestamp,
    store: (value: string) => canonicalTimestamp(value) ?? null,
  },
  status: {
    sql: 'TEXT',
    accepts: (value) => typeof value === 'string' && canonicalStatus(value) !== undefined,
    struct: status,
    store: (value: string) => canonicalStatus(value) ?? null,
  },
  /** A JSON object, or a string holding one; stored re-serialised. */
  json: {
    sql: 'TEXT',
    accepts: (value) => {
      const object = isJsonObject(value) ? value : jsonObjectOf(value);
      return object !== undefined && withinDepth(object);
    },
    struct: json,
    store: storedJson,
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
