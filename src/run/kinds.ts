import { any, define, refine, type Struct } from 'superstruct';
import { cutText, shortId } from './bounds.ts';
import { digitsOf, isJsonObject, jsonObjectOf, MAX_JSON_DEPTH, storedJson, tooMuchIn, withinDepth } from './json.ts';
import type { Mended } from './mended.ts';
import { countIn } from './numbers.ts';
import { canonicalStatus, STATUS_NAMES } from './status.ts';
import { readTime } from './times.ts';
import { withoutCredentials } from './urls.ts';

export type SqlValue = string | number | null;

/**
 * One kind of value. `accepts` is the hot path's verdict; `struct` reaches the same one in its own
 * way and words the reason; `store` gives the column's value of an accepted one. None sees null or an
 * empty text: those are as good as not given, or clear the field (`isText`).
 */
export interface Kind {
  sql: 'TEXT' | 'INTEGER';
  accepts: (value: unknown) => boolean;
  struct: Struct<unknown>;
  /** @param mended counts what is not stored as it came */
  store(value: never, mended?: Mended): SqlValue;
  /** Text, which PATCH clears where an empty one is sent. */
  isText?: true;
  /** Brings text within its field's bound. */
  shorten?: (text: string, max: number) => string;
  /** What becomes of a value that is not accepted, or over its field's bound, where no run may be lost for it. */
  mends?: Mending;
}

export interface Mending {
  /** Beyond its bound it is refused at all other doors. */
  bound?: true;
  accepts: (value: unknown) => boolean;
  struct: Struct<unknown>;
}

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
function numeral(given: unknown): unknown {
  const value = digitsOf(given) ?? given;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string'
    ? value
        .trim()
        .replace(/^\+(?=\d)/, '')
        .replace(/(\d)\.0*$/, '$1')
    : value;
}
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

const timestamp = define<unknown>(
  'datetime_parsing',
  (value) => timeOf(value) !== undefined || 'Input should be an ISO 8601 timestamp such as 2026-01-10T12:00:00Z',
);

const status = refine(
  string,
  'enum',
  (value) => canonicalStatus(value as string) !== undefined || `Input should be one of ${STATUS_NAMES.join(', ')}`,
);

/** Who may have made a commit: the predecessor's contract, to the word. */
export const COMMIT_SOURCES = ['manual', 'llm', 'ci'] as const;
/** What is said of another where it is not refused. */
export const NO_SOURCE = 'neither manual, llm nor ci';
export const isCommitSource = (value: unknown): value is (typeof COMMIT_SOURCES)[number] =>
  (COMMIT_SOURCES as readonly unknown[]).includes(value);
const source = refine(string, 'enum', (value) => isCommitSource(value) || "Input should be 'manual', 'llm' or 'ci'");

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
/** Longer text is neither yes nor no, however many blanks are around it. */
const LONGEST_BOOLEAN = 100;

function booleanOf(value: unknown): 0 | 1 | undefined {
  const exact = BOOLEANS.get(value);
  if (exact !== undefined || typeof value !== 'string' || value.length > LONGEST_BOOLEAN) return exact;
  return BOOLEANS.get(value.trim().toLowerCase());
}

const boolean = define<unknown>(
  'bool_parsing',
  (value) =>
    typeof value === 'boolean' ||
    [0, 1].includes(value as number) ||
    (typeof value === 'string' && value.length <= LONGEST_BOOLEAN && /^\s*(?:0|1|true|false)\s*$/i.test(value)) ||
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
const isId = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0');

function countOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value + 0 : undefined;
  if (typeof value === 'string') return countIn(value);
  return typeof value === 'boolean' ? Number(value) : undefined;
}

function timeOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return readTime(value);
  const digits = digitsOf(value);
  return digits === undefined ? undefined : readTime(Number(digits));
}

export const KINDS = {
  /** Text that identifies: never empty, never repaired, for two ids must not collapse into one. */
  id: {
    sql: 'TEXT',
    accepts: isId,
    struct: identifier,
    store: (value: string) => value,
    shorten: shortId,
    mends: { bound: true, accepts: isId, struct: identifier },
  },
  /** Text that names a run or what is outside: over its bound it becomes what the id that it names becomes. */
  reference: { sql: 'TEXT', accepts: isText, struct: string, store: storeText, isText: true, shorten: shortId },
  /** Any text; a NUL or lone surrogate becomes U+FFFD, for a run is not lost for one character. */
  text: { sql: 'TEXT', accepts: isText, struct: string, store: storeText, isText: true, shorten: cutText },
  /** A git remote, stored without credentials. */
  remote: {
    sql: 'TEXT',
    accepts: isText,
    struct: string,
    store: (value: string) => withoutCredentials(storeText(value)),
    isText: true,
    shorten: cutText,
  },
  /** Who made a commit. */
  source: {
    sql: 'TEXT',
    accepts: isCommitSource,
    struct: source,
    store: (value: unknown) => (isCommitSource(value) ? value : null),
    isText: true,
    mends: { accepts: () => true, struct: any() as Struct<unknown> },
  },
  /** An integer of 0 to 2^53 - 1, as a number or its digits; true and false are 1 and 0. */
  count: {
    sql: 'INTEGER',
    accepts: (value) => countOf(value) !== undefined,
    struct: count,
    store: (value: unknown) => countOf(value) ?? null,
  },
  boolean: {
    sql: 'INTEGER',
    accepts: (value) => booleanOf(value) !== undefined,
    struct: boolean,
    store: (value: unknown) => booleanOf(value) ?? 0,
  },
  /** ISO 8601 or nearly that, or a number since 1970; stored canonical. */
  timestamp: {
    sql: 'TEXT',
    accepts: (value) => timeOf(value) !== undefined,
    struct: timestamp,
    store: (value: unknown) => timeOf(value) ?? null,
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
