/** Every schema of the document by its name, and how one refers to another. */
import type { Content, Contents, Schema } from './operation.ts';
import { KIND_SCHEMAS } from './kinds.ts';
import { RECORDS } from './records.ts';

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer', minimum: 0 };
const texts: Schema = { type: 'array', items: text };

/** The same, which may have these as well. */
function withOptional(schema: Schema, properties: Readonly<Record<string, Schema>>): Schema {
  return { ...schema, properties: { ...(schema.properties as object), ...properties } };
}

/** An object that always has all of these. */
function all(description: string, properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', description, required: Object.keys(properties), properties };
}

const merged: Schema = {
  ...whole,
  description: 'Known runs into which a record brought something; only with `on_duplicate=merge`.',
};
const counts = {
  inserted: { ...whole, description: 'New runs.' },
  duplicates: { ...whole, description: 'Known runs, left as they were.' },
  errors: { ...texts, description: 'A line for each item that was refused: its `event_id` or `index n`, and why.' },
  total: { ...whole, description: 'Items in the request.' },
};
const outcome: Schema = { type: 'string', enum: ['created', 'merged', 'duplicate', 'rejected'] };

const batch = (description: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  ...all(description, properties),
  properties: { ...properties, merged },
});

const issue = all('One wrong value.', {
  type: { ...text, description: 'The kind of fault, such as `missing`.' },
  loc: {
    type: 'array',
    items: { type: ['string', 'integer'] },
    minItems: 1,
    description: 'Where it is: `body` or `query`, then the name.',
  },
  msg: { ...text, description: 'What is wrong, in words.' },
  input: { description: 'What was given, shortened; null where nothing was.' },
});

const spool = all('What clients could not deliver, and left in files.', {
  files: { ...whole, description: 'Files that are not done with.' },
  pending_bytes: { ...whole, description: 'Bytes that are still to be stored.' },
  lag_seconds: {
    type: 'number',
    minimum: 0,
    description: 'How long ago the file was written that has waited longest.',
  },
  stored: { ...whole, description: 'Lines stored since the start.' },
  rejected: { ...whole, description: 'Lines rejected since the start.' },
});

export const SCHEMAS = {
  ...RECORDS,
  Created: all('A new run was stored.', { status: { const: 'created' }, event_id: text, run_id: text }),
  Duplicate: all('The run is known, and nothing was changed.', {
    status: { const: 'duplicate' },
    event_id: text,
    message: text,
  }),
  RunList: { type: 'array', description: 'The newest first.', items: { $ref: '#/components/schemas/Run' } },
  BatchInput: {
    description: 'Runs, as an array or as `runs` of an object. A bad item costs only itself.',
    anyOf: [
      { type: 'array', items: { $ref: '#/components/schemas/RunInput' } },
      { $ref: '#/components/schemas/WrappedBatchInput' },
    ],
  },
  WrappedBatchInput: all('The other form of a batch.', {
    runs: { type: 'array', items: { $ref: '#/components/schemas/RunInput' } },
  }),
  BatchResult: batch('What became of the items of an array.', counts),
  WrappedBatchResult: batch('What became of the items of `{"runs": […]}`.', { status: outcome, ...counts }),
  RunChanged: all('The fields were set.', {
    event_id: text,
    updated: { const: true },
    fields_updated: { ...texts, description: 'The names of the fields that were set.' },
  }),
  CommitInput: {
    type: 'object',
    required: ['commit_hash', 'commit_source'],
    properties: {
      commit_hash: { type: 'string', pattern: '^[0-9A-Za-z._-]{7,64}$', not: { pattern: '\\.\\.' } },
      commit_source: KIND_SCHEMAS.source.taken,
      commit_author: { type: ['string', 'null'] },
      commit_timestamp: { type: ['string', 'null'], description: 'Kept as sent.' },
    },
    additionalProperties: true,
  },
  CommitAssociated: all('The commit was noted.', {
    status: { const: 'success' },
    event_id: text,
    run_id: text,
    commit_hash: text,
  }),
  CommitUrl: all('The address of the commit.', { commit_url: { type: ['string', 'null'] } }),
  RepoUrl: all('The address of the repository.', { repo_url: { type: ['string', 'null'] } }),
  Metadata: all('The names that occur, sorted.', {
    agent_names: texts,
    job_types: texts,
    counts: all('How many there are in all.', { agent_names: whole, job_types: whole }),
  }),
  Metrics: withOptional(
    all('Totals over all runs.', {
      total_runs: whole,
      agents: { type: 'object', description: 'Runs by agent, the most first.', additionalProperties: whole },
      recent_24h: { ...whole, description: 'Runs whose `created_at` is within the last 24 hours.' },
      performance: all('How the database is run.', { db_path: text, journal_mode: text }),
      spool,
    }),
    { other_agents: all('Where there are more agents than are named: those others.', { agents: whole, runs: whole }) },
  ),
  Health: all('The service, and how its database was opened.', {
    status: { type: 'string', enum: ['ok', 'unavailable'] },
    version: text,
    db_path: text,
    journal_mode: text,
    synchronous: text,
  }),
  Ready: all('The service takes requests.', { status: { const: 'ready' } }),
  NotReady: all('The service cannot serve now.', {
    status: { const: 'not ready' },
    reasons: { ...texts, minItems: 1, description: 'Why, in words.' },
  }),
  OpenApiDocument: {
    type: 'object',
    description: 'A document of OpenAPI 3.1.',
    required: ['openapi', 'info', 'paths'],
    properties: { openapi: text, info: { type: 'object' }, paths: { type: 'object' } },
    additionalProperties: true,
  },
  Error: all('What went wrong, in words.', { detail: text }),
  Issue: issue,
  ValidationError: all('Every wrong value of the request.', {
    detail: { type: 'array', items: { $ref: '#/components/schemas/Issue' }, minItems: 1 },
  }),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof SCHEMAS;

export const refTo = (name: SchemaName): Schema => ({ $ref: `#/components/schemas/${name}` });

/** JSON of a schema, with an example or several by name. */
export function contentOf(schema: Schema, examples: Content['examples'] = {}): Content {
  return { schema, ...(Object.keys(examples).length > 0 && { examples }) };
}

export const json = (name: SchemaName, examples?: Content['examples']): Contents => ({
  'application/json': contentOf(refTo(name), examples),
});
