/** The document of the API as a contract: what an answer must be, and what a request may be. */
import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { documentOf } from '../../src/http/openapi/document.ts';
import { documented } from '../../src/http/openapi/path.ts';
import { ROUTES } from '../../src/http/routes.ts';

type Json = Readonly<Record<string, unknown>>;

interface ShownContent {
  schema: Json;
  examples?: Record<string, { value: unknown }>;
}

interface ShownHeader {
  schema: Json;
  required?: boolean;
}

export interface ShownResponse {
  description: string;
  content?: Record<string, ShownContent>;
  headers?: Record<string, ShownHeader | { $ref: string }>;
}

export interface ShownOperation {
  operationId: string;
  tags: string[];
  security: Json[];
  parameters?: { name: string; in: string; schema: Json }[];
  requestBody?: { content: Record<string, ShownContent> };
  responses: Record<string, ShownResponse | { $ref: string }>;
}

interface Shown {
  tags: { name: string }[];
  paths: Record<string, Record<string, ShownOperation>>;
  components: {
    schemas: Record<string, Json>;
    responses: Record<string, ShownResponse>;
    headers: Record<string, Json>;
  };
}

/** The document as it goes over the wire. */
export const DOCUMENT = JSON.parse(JSON.stringify(documentOf(ROUTES, '0.1.0'))) as Shown;
const { schemas } = DOCUMENT.components;

/** Method, path as documented, operation. */
export const OPERATIONS = Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const makeAjv = (form: (schema: unknown) => unknown): Ajv2020 => {
  const ajv = new Ajv2020({ allowUnionTypes: true, formats: { 'date-time': DATE_TIME } });
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(form(schema) as Json, `schema:${name}`);
  return ajv;
};

/** References of the document as ajv finds them. */
const relinked = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"schema:')) as unknown;

const open = makeAjv(relinked);
const closed = makeAjv((schema) => closedForm(relinked(schema)));

/** The check of a request's schema, as a client would make it. */
export const validatorOf = (name: string): ValidateFunction =>
  open.getSchema(`schema:${name}`) ?? assert.fail(`there is no schema ${name}`);

const compiled = new Map<string, ValidateFunction>();

/** Fails where the value breaks the schema, or has anything that the schema does not name. */
export function assertValid(schema: Json, value: unknown, what: string): void {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? closed.compile(closedForm(relinked(schema)) as Json);
  compiled.set(key, validate);
  assert.ok(
    validate(value),
    `${what}: ${closed.errorsText(validate.errors)} in ${JSON.stringify(value)?.slice(0, 500)}`,
  );
}

/** The schema with every object closed that names its members and does not say that others may come. */
function closedForm(schema: unknown): unknown {
  if (Array.isArray(schema)) return (schema as unknown[]).map(closedForm);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema as Json).map(([key, value]) => [
    key,
    key === 'enum' ? value : closedForm(value),
  ]);
  const object = Object.fromEntries(entries) as Json;
  const names = typeof object.properties === 'object' && object.type === 'object';
  return names && !('additionalProperties' in object) ? { ...object, additionalProperties: false } : object;
}

/** What `$ref` leads to. */
export function resolved<T extends object>(value: T | { $ref: string }): T {
  if (!('$ref' in value)) return value;
  const [, , room, name] = value.$ref.split('/');
  return DOCUMENT.components[room as keyof Shown['components']][String(name)] as T;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** What every answer of HTTP may have. */
const COMMON = ['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'x-content-type-options'];

/** Fails where the document does not say that this route answers so. */
export function assertDocumented(method: string, route: string, { status, headers, text }: HttpAnswer): void {
  const what = `${method} ${documented(route)} ${status}`;
  const operation = DOCUMENT.paths[documented(route)]?.[method.toLowerCase()] ?? assert.fail(`${what} is no route`);
  const response = resolved(operation.responses[status] ?? assert.fail(`${what} is not in the document: ${text}`));
  assertHeaders(response, headers, what);
  if (!response.content) return assert.equal(text, '', `${what} has a body`);
  const type = headers.get('content-type') ?? '';
  const content = response.content[type] ?? assert.fail(`${what} has another type: ${type}`);
  assertValid(content.schema, type === 'application/json' ? JSON.parse(text) : text, what);
}

function assertHeaders(response: ShownResponse, headers: Headers, what: string): void {
  const named = Object.entries(response.headers ?? {});
  for (const [name, header] of named) {
    const { schema, required } = resolved<ShownHeader>(header);
    const value = headers.get(name);
    if (value === null) assert.ok(!required, `${what} lacks ${name}`);
    else assertValid(schema, schema.type === 'integer' ? Number(value) : value, `${what} ${name}`);
  }
  const known = [...COMMON, ...named.map(([name]) => name.toLowerCase())];
  const unknown = [...headers.keys()].filter((name) => !known.includes(name));
  assert.deepEqual(unknown, [], `headers of ${what} that are not in the document`);
}
