/** The kinds of values as JSON Schemas: what a request may hold, and what an answer does. */
import { COMMIT_SOURCES, MAX_JSON_DEPTH, STATUS_NAMES, STATUSES } from '../../run.ts';
import type { KindName } from '../../run/kinds.ts';
import type { Schema } from './operation.ts';
import { RUN_TIMESTAMP } from './timestamps.ts';

export interface KindSchema {
  /** Exactly what is taken, or where a schema cannot say that, more. */
  readonly taken: Schema;
  /** What a schema cannot say, or not to people. */
  readonly note?: string;
  readonly given: Schema;
}

const MAX = Number.MAX_SAFE_INTEGER;
const TEXT = { type: 'string' };

export const KIND_SCHEMAS: Readonly<Record<KindName, KindSchema>> = {
  id: {
    taken: { type: 'string', minLength: 1, pattern: '^[^\\x00]+$' },
    note: 'Well-formed Unicode, without lone surrogates.',
    given: TEXT,
  },
  reference: { taken: TEXT, given: TEXT },
  text: { taken: TEXT, given: TEXT },
  remote: { taken: TEXT, given: TEXT },
  source: { taken: { type: 'string', enum: COMMIT_SOURCES }, given: TEXT },
  count: {
    taken: {
      type: ['integer', 'string', 'boolean'],
      minimum: 0,
      maximum: MAX,
      pattern: `^\\s*\\+?${digitsUpTo(MAX)}(\\.0*)?\\s*$`,
    },
    note: 'A number, or its digits as text.',
    given: { type: 'integer', minimum: 0, maximum: MAX },
  },
  boolean: {
    taken: {
      type: ['boolean', 'integer', 'string'],
      minimum: 0,
      maximum: 1,
      pattern: '^\\s*([01]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\\s*$',
    },
    note: 'Also as 1 and 0, or as text.',
    given: { type: 'boolean' },
  },
  timestamp: {
    taken: RUN_TIMESTAMP,
    note: 'ISO 8601, UTC where it has no offset. Seconds, milliseconds or microseconds since 1970 are taken too.',
    given: { type: 'string', format: 'date-time' },
  },
  status: {
    taken: { type: 'string', enum: STATUS_NAMES },
    given: { type: 'string', enum: STATUSES },
  },
  json: {
    taken: { type: ['object', 'string'] },
    note: `An object, or a string that holds one; at most ${MAX_JSON_DEPTH} levels deep.`,
    // Another program may have stored any JSON, which comes back as it is.
    given: {},
  },
};

/** The same schema, that takes null too; one without a type does already. */
export function nullable(schema: Schema): Schema {
  const { type, enum: values } = schema as { type?: string | string[]; enum?: unknown[] };
  if (type === undefined) return schema;
  return { ...schema, type: [type, 'null'].flat(), ...(values && { enum: [...values, null] }) };
}

/** The schema of a field that need not be given: null and an empty text are as good as nothing. */
export function optional(schema: Schema): Schema {
  const { enum: values, pattern } = schema as { enum?: unknown[]; pattern?: string };
  const blank = { ...(values && { enum: [...values, ''] }), ...(pattern && { pattern: `^$|${pattern}` }) };
  return nullable({ ...schema, ...blank });
}

/** A pattern of the texts of digits that are no number beyond `max` and have no more digits than it. */
function digitsUpTo(max: number): string {
  const digits = String(max);
  const below = [...digits].flatMap((digit, at) =>
    digit === '0' ? [] : [`${digits.slice(0, at)}[0-${Number(digit) - 1}][0-9]{${digits.length - at - 1}}`],
  );
  return `([0-9]{1,${digits.length - 1}}|${[...below, digits].join('|')})`;
}
