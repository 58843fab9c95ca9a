/**
 * The two judges of a record. `acceptsRun` is a plain loop for the hot path; `explainRun` asks
 * superstruct (nearly as slow as storing a run), which words the errors, and only once the
 * first said no. A property test holds the two to the same verdicts.
 */
import { nullable, optional, refine, type, type Struct } from 'superstruct';
import type { Issue } from '../errors.ts';
import { type Field, PATCH_FIELDS, TABLE } from '../run.ts';
import { digitsOf, isJsonObject } from './json.ts';
import { KINDS } from './kinds.ts';
import { cut } from './text.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Shape = Struct<JsonObject, Record<string, Struct<unknown>>>;

interface Test {
  name: string;
  required: boolean;
  accepts: (value: unknown) => boolean;
}

const testsOf = (fields: readonly Field[]): Test[] =>
  fields.map(({ name, kind, required }) => ({ name, required: required === true, accepts: KINDS[kind].accepts }));

const shapeOf = (fields: readonly Field[]): Shape =>
  type(
    Object.fromEntries(
      fields.map(({ name, kind, required }) => {
        const struct = KINDS[kind].struct as Struct<unknown>;
        return [name, required ? struct : (optional(nullable(struct)) as Struct<unknown>)];
      }),
    ),
  );

const runTests = testsOf(TABLE);
const patchTests = testsOf(PATCH_FIELDS.map(({ name, kind }) => ({ name, kind })));
const runShape = shapeOf(TABLE);
const patchShape = shapeOf(PATCH_FIELDS);

const text = KINDS.text.struct as Struct<unknown>;
const commitShape = type({
  commit_hash: refine(
    text,
    'string_pattern_mismatch',
    (value) =>
      (/^[0-9A-Za-z._-]{7,64}$/.test(value as string) && !(value as string).includes('..')) ||
      "Input should be 7 to 64 of the characters 0-9 A-Z a-z . _ - without '..'",
  ),
  commit_source: refine(
    text,
    'enum',
    (value) => ['manual', 'llm', 'ci'].includes(value as string) || "Input should be 'manual', 'llm' or 'ci'",
  ),
  commit_author: optional(nullable(text)),
  commit_timestamp: optional(nullable(text)),
} as Record<string, Struct<unknown>>);

/** Whether a parsed value is a run that can be stored. */
export const acceptsRun = (value: unknown): value is JsonObject => accepts(value, runTests);

/** Whether all that PATCH would take of a parsed value can be stored; other keys are ignored. */
export const acceptsPatch = (value: unknown): value is JsonObject => accepts(value, patchTests);

/** What is wrong with a run, one issue a field; empty where nothing is. */
export const explainRun = (value: unknown): Issue[] => explain(value, runShape);

/** What is wrong with the body of PATCH. */
export const explainPatch = (value: unknown): Issue[] => explain(value, patchShape);

/** What is wrong with the body of associate-commit. */
export const explainCommit = (value: unknown): Issue[] => explain(value, commitShape);

/** What is wrong with a run, in one sentence for a list of many runs. */
export const reasonAgainst = (value: unknown): string =>
  explainRun(value)
    .map(({ loc, msg }) => (loc.length > 1 ? `${loc.slice(1).join('.')}: ${msg}` : msg))
    .join('; ');

function accepts(value: unknown, tests: readonly Test[]): value is JsonObject {
  if (!isJsonObject(value)) return false;
  for (const { name, required, accepts: test } of tests) {
    const given = value[name];
    if (given === null || given === undefined ? required : !test(given)) return false;
  }
  return true;
}

function explain(value: unknown, shape: Shape): Issue[] {
  // Before superstruct sees it: its own message for a non-object would run the input's toString.
  if (!isJsonObject(value)) {
    return [{ type: 'dict_type', loc: ['body'], msg: 'Input should be a JSON object', input: excerpt(value) }];
  }
  const [error] = shape.validate(value);
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
