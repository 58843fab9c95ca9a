/** The run as JSON Schemas, made from the table of its fields: as it is sent, changed and given back. */
import { type Field, type FieldName, PATCH_FIELDS, TABLE } from '../../run.ts';
import { KIND_SCHEMAS, nullable, optional } from './kinds.ts';
import { MEANINGS } from './meanings.ts';
import type { Schema } from './operation.ts';

const meaningOf = ({ name }: Field): string => MEANINGS[name as FieldName];
const sentences = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join(' ');

/** A field as a request may hold it. */
function taken(field: Field, required: boolean): Schema {
  const { taken: schema, note } = KIND_SCHEMAS[field.kind];
  const bounded = field.max !== undefined && field.kind === 'id' ? { ...schema, maxLength: field.max } : schema;
  const description = sentences(meaningOf(field), note, boundOf(field));
  return { ...(required ? bounded : optional(bounded)), description };
}

/** What a schema cannot say: it counts characters, and the bound is in bytes. */
function boundOf({ kind, max }: Field): string | undefined {
  if (max === undefined) return undefined;
  if (kind === 'id') return `At most ${max} bytes of UTF-8.`;
  return `Over ${max} bytes of UTF-8 it is ${kind === 'reference' ? 'shortened' : 'cut'}, and kept whole in the database.`;
}

/** A field of a new run: with what it becomes where it is not given. */
function sent(field: Field): Schema {
  const schema = taken(field, field.required === true);
  if (field.default === undefined) return schema;
  if (field.default === 'now')
    return { ...schema, description: `${String(schema.description)} Without it, the time of its arrival.` };
  return { ...schema, default: field.kind === 'boolean' ? field.default === 1 : field.default };
}

/** A field as an answer holds it; only one that is neither required nor has a default can be null. */
function given(field: Field): Schema {
  const { given: schema } = KIND_SCHEMAS[field.kind];
  const isNull = !field.required && field.default === undefined;
  return { ...(isNull ? nullable(schema) : schema), description: meaningOf(field) };
}

const propertiesOf = (fields: readonly Field[], schemaOf: (field: Field) => Schema): Record<string, Schema> =>
  Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)]));

const links = {
  commit_url: { type: ['string', 'null'], description: 'The address of the commit, as `/commit-url` gives it.' },
  repo_url: { type: ['string', 'null'], description: 'The address of the repository, as `/repo-url` gives it.' },
};

const parseErrors = Object.fromEntries(
  TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => [
    `${name}_parse_error`,
    { type: 'string', description: `Why \`${name}\` is text: what is stored there is no JSON. Only then.` },
  ]),
);

const id = { type: 'integer', description: 'The number of the run in this database.' };

export const RECORDS: Readonly<Record<'RunInput' | 'RunChange' | 'Run', Schema>> = {
  RunInput: {
    type: 'object',
    description:
      'A run as it is sent. Null and an empty text are as good as not given, except in required fields; unknown ones are ignored.',
    required: TABLE.filter(({ required }) => required).map(({ name }) => name),
    properties: propertiesOf(TABLE, sent),
    additionalProperties: true,
  },
  RunChange: {
    type: 'object',
    description:
      'The fields to set. Null is as good as not given; an empty text clears a field of text; all others are ignored.',
    properties: propertiesOf(PATCH_FIELDS, (field) => taken(field, false)),
    additionalProperties: true,
  },
  Run: {
    type: 'object',
    description:
      'A run as it is given back: every field, and what follows from them. What another program wrote to the database comes ' +
      'back as it is stored there: a count may then be any number or text, a timestamp any text, `metrics_json` any JSON.',
    required: ['id', ...TABLE.map(({ name }) => name), ...Object.keys(links)],
    properties: { id, ...propertiesOf(TABLE, given), ...links, ...parseErrors },
  },
};
