/**
 * The two judges of a record. `acceptsRun` is a plain loop for the hot path; `explainRun` asks
 * superstruct (nearly as slow as storing a run), which words the errors, and only once the
 * first said no. A property test holds the two to the same verdicts.
 */
import { nullable, optional, refine, type, type Struct } from 'superstruct';
import type { Issue } from '../errors.ts';
import { type Field, isNothing, PATCH_FIELDS, TABLE } from '../run.ts';
import { fits } from './bounds.ts';
import { digitsOf, isJsonObject } from './json.ts';
import { type Kind, KINDS } from './kinds.ts';
import { cut } from './text.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Shape = Struct<JsonObject, Record<string, Struct<unknown>>>;

interface Test {
  name: string;
  required: boolean;
  accepts: (value: unknown) => boolean;
}

/** Both judges of records with these fields. */
interface Judges {
  tests: readonly Test[];
  shape: Shape;
  /** Fields in which an empty text is as good as none. */
  optional: ReadonlySet<string>;
}

/**
 * What is done with a value that cannot be stored as it came, where the record allows for that: it is refused,
 * or mended, for no run may be lost for it.
 */
export type OnInvalid = 'refuse' | 'repair';

function acceptsOf({ kind, max }: Field, onInvalid: OnInvalid): Test['accepts'] {
  const { accepts, mends }: Kind = KINDS[kind];
  if (mends && onInvalid === 'repair') return (value) => mends.accepts(value);
  if (max === undefined || !mends?.bound) return accepts;
  return (value) => accepts(value) && fits(value as string, max);
}

function structOf({ kind, max }: Field, onInvalid: OnInvalid): Struct<unknown> {
  const { struct, mends }: Kind = KINDS[kind];
  if (mends && onInvalid === 'repair') return mends.struct;
  if (max === undefined || !mends?.bound) return struct;
  return refine(
    struct,
    'string_too_long',
    (value) => Buffer.byteLength(value as string) <= max || `Input should have at most ${max} bytes of UTF-8`,
  );
}

function judgesOf(fields: readonly Field[], onInvalid: OnInvalid): Judges {
  const structs = fields.map((field) => {
    const struct = structOf(field, onInvalid);
    return [field.name, field.required ? struct : (optional(nullable(struct)) as Struct<unknown>)] as const;
  });
  return {
    tests: fields.map((field) => ({
      name: field.name,
      required: field.required === true,
      accepts: acceptsOf(field, onInvalid),
    })),
    shape: type(Object.fromEntries(structs)),
    optional: new Set(fields.filter(({ required }) => !required).map(({ name }) => name)),
  };
}

const run = { refuse: judgesOf(TABLE, 'refuse'), repair: judgesOf(TABLE, 'repair') };
const patch = judgesOf(PATCH_FIELDS, 'refuse');

const text = KINDS.text.struct as Struct<unknown>;
const commitShape = type({
  commit_hash: refine(
    text,
    'string_pattern_mismatch',
    (value) =>
      (/^[0-9A-Za-z._-]{7,64}$/.test(value as string) && !(value as string).includes('..')) ||
      "Input should be 7 to 64 of the characters 0-9 A-Z a-z . _ - without '..'",
  ),
  commit_source: KINDS.source.struct,
  commit_author: optional(nullable(text)),
  commit_timestamp: optional(nullable(text)),
} as Record<string, Struct<unknown>>);

/** Whether a parsed value is a run that can be stored. */
export const acceptsRun = (value: unknown, onInvalid: OnInvalid = 'refuse'): value is JsonObject =>
  accepts(value, run[onInvalid].tests);

/** Whether all that PATCH would take of a parsed value can be stored; other keys are ignored. */
export const acceptsPatch = (value: unknown): value is JsonObject => accepts(value, patch.tests);

/** What is wrong with a run, one issue a field; empty where nothing is. */
export const explainRun = (value: unknown, onInvalid: OnInvalid = 'refuse'): Issue[] =>
  explain(value, run[onInvalid].shape, run[onInvalid].optional);

/** What is wrong with the body of PATCH. */
export const explainPatch = (value: unknown): Issue[] => explain(value, patch.shape, patch.optional);

/** What is wrong with the body of associate-commit. */
export const explainCommit = (value: unknown): Issue[] => explain(value, commitShape, new Set());

/** What is wrong with a run, in one sentence for a list of many runs. */
export const reasonAgainst = (value: unknown, onInvalid: OnInvalid = 'refuse'): string =>
  explainRun(value, onInvalid)
    .map(({ loc, msg }) => (loc.length > 1 ? `${loc.slice(1).join('.')}: ${msg}` : msg))
    .join('; ');

function accepts(value: unknown, tests: readonly Test[]): value is JsonObject {
  if (!isJsonObject(value)) return false;
  for (const { name, required, accepts: test } of tests) {
    const given = value[name];
    if (isNothing(given) ? required : !test(given)) return false;
  }
  return true;
}

function explain(value: unknown, shape: Shape, optional: ReadonlySet<string>): Issue[] {
  // Before superstruct sees it: its own message for a non-object would run the input's toString.
  if (!isJsonObject(value)) {
    return [{ type: 'dict_type', loc: ['body'], msg: 'Input should be a JSON object', input: excerpt(value) }];
  }
  const said = Object.fromEntries(Object.entries(value).filter(([name, given]) => given !== '' || !optional.has(name)));
  const [error] = shape.validate(said);
  const issues = new Map<string, Issue>();
  for (const failure of error?.failures() ?? []) {
    const field = String(failure.path[0]);
    if (!issues.has(field))
      issues.set(field, issueOf(field, failure.value, failure.refinement ?? failure.type, failure.message));
  }
  return [...issues.values()];
}

function issueOf(field: string, value: unknown, kind: string, msg: string): Issue {
  const loc = ['body', field];
  if (value === undefined) return { type: 'missing', loc, msg: 'Field required', input: null };
  return { type: kind, loc, msg, input: excerpt(value) };
}

/** The input as an error shows it: never more than a line of it, and whole characters. */
export function excerpt(value: unknown): unknown {
  const digits = digitsOf(value);
  if (digits !== undefined) return digits.slice(0, 200);
  if (typeof value === 'string') return cut(value, 200, '…');
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? `array of ${value.length}` : `object with ${Object.keys(value).length} keys`;
}
