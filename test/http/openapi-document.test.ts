/** The document of the API is whole: it says all that the tables say, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type ErrorCode, TelemetryError } from '../../src/errors.ts';
import { replyOf } from '../../src/http/errors.ts';
import { LIST_PARAMETERS } from '../../src/http/filters.ts';
import { FAILURES } from '../../src/http/openapi/failures.ts';
import { OPERATIONS as DESCRIBED } from '../../src/http/openapi/operations.ts';
import { documented } from '../../src/http/openapi/path.ts';
import { ROUTES } from '../../src/http/routes.ts';
import { COLUMNS, PATCH_FIELDS, STATUS_NAMES, STATUSES } from '../../src/run.ts';
import { assertValid, DOCUMENT, OPERATIONS, resolved, validatorOf } from '../support/openapi.ts';

const { schemas, responses } = DOCUMENT.components;

test('the document is one of OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(DOCUMENT) as unknown as Record<string, unknown>);
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(result.valid);
});

test('every route for everyone is in the document, and nothing else', () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${documented(path)}`);
  assert.deepEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort(), routes.sort());
});

test('every description belongs to one route', () => {
  assert.deepEqual(ROUTES.map(({ operation }) => operation).sort(), Object.keys(DESCRIBED).sort());
});

test('every field of a run is in its schemas, and nothing else but what follows from them', () => {
  const namesOf = (name: string): string[] => Object.keys(schemas[name]?.properties as object);
  assert.deepEqual(namesOf('RunInput'), COLUMNS);
  assert.deepEqual(
    namesOf('RunChange'),
    PATCH_FIELDS.map(({ name }) => name),
  );
  const more = ['commit_url', 'repo_url', 'metrics_json_parse_error', 'context_json_parse_error'];
  assert.deepEqual(namesOf('Run'), ['id', ...COLUMNS, ...more]);
});

test('every parameter of the list is in the document, and nothing else', () => {
  const { parameters = [] } = DOCUMENT.paths['/api/v1/runs']?.get ?? {};
  assert.deepEqual(parameters.map(({ name }) => name).sort(), [...LIST_PARAMETERS].sort());
});

test('a status is taken by each of its names, and given by the one', () => {
  const enumOf = (name: string): unknown =>
    (schemas[name]?.properties as Record<string, { enum: unknown[] }>).status?.enum.filter(Boolean);
  assert.deepEqual(enumOf('RunInput'), STATUS_NAMES);
  assert.deepEqual(enumOf('Run'), STATUSES);
});

test('every schema can be compiled, and is used', () => {
  const text = JSON.stringify(DOCUMENT);
  for (const name of Object.keys(schemas)) {
    assert.equal(typeof validatorOf(name), 'function');
    assert.ok(text.includes(`{"$ref":"#/components/schemas/${name}"}`), `${name} is used nowhere`);
  }
});

test('every example is one', () => {
  let examples = 0;
  const contents = [
    ...OPERATIONS.flatMap(({ operation }) => [operation.requestBody, ...Object.values(operation.responses)]),
    ...Object.values(responses),
  ].flatMap((part) => (part ? Object.values(resolved(part).content ?? {}) : []));
  for (const content of contents) {
    for (const [name, { value }] of Object.entries(content.examples ?? {})) {
      assertValid(content.schema, value, `the example ${name}`);
      examples++;
    }
  }
  assert.ok(examples > 30, `only ${examples} examples were found`);
});

test('every operation has an id that makes a name of a function, and a tag that is explained', () => {
  const tags = DOCUMENT.tags.map(({ name }) => name);
  for (const { operation } of OPERATIONS) {
    assert.match(operation.operationId, /^[a-z]+([A-Z][a-z]+)*$/);
    assert.ok(operation.tags.every((tag) => tags.includes(tag)));
  }
});

test('a token is asked for on every route that is not open, and on no other', () => {
  for (const { method, path, operation } of OPERATIONS) {
    const route = ROUTES.find((one) => one.method === method && documented(one.path) === path);
    assert.deepEqual(operation.security, route?.open ? [] : [{ bearer: [] }, {}]);
    assert.equal('401' in operation.responses, !route?.open);
  }
});

test('every error of the service has a status that the document describes', () => {
  const codes: Record<ErrorCode, true> = {
    bad_request: true,
    invalid: true,
    not_found: true,
    too_large: true,
    busy: true,
    unavailable: true,
    damaged: true,
    full: true,
    refused: true,
    internal: true,
  };
  for (const code of Object.keys(codes) as ErrorCode[])
    assert.ok(replyOf(new TelemetryError(code, 'why')).status in FAILURES, `${code} is not described`);
});
