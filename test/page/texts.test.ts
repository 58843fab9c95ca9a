/** The parts of the page that need no browser: requests, commands, JSON and schemas as texts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';

interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  body?: string;
  token?: string;
}

interface Parts {
  requestOf: (operation: object, given: object) => Request;
  quoted: (text: string) => string;
  curlOf: (request: Request) => string;
  isRewritten: (url: string) => boolean;
  send: (request: Request) => Promise<unknown>;
  ADDRESS: RegExp;
  indented: (text: string) => string;
  typeOf: (root: unknown, schema: unknown) => string;
  rowsOf: (root: unknown, schema: unknown) => { name: string; required: boolean }[];
  resolve: (root: unknown, value: unknown) => unknown;
  groupsOf: (root: unknown) => { tag: string; operations: { id: string; bearer: boolean }[] }[];
}

// They are programs for browsers and have no types, so that the compiler could not look into them.
const modules = ['request', 'send', 'markdown', 'json-text', 'schema', 'outline'].map(
  (name) => import(new URL(`../../src/http/page/${name}.js`, import.meta.url).href) as Promise<Partial<Parts>>,
);
const parts = Object.assign({}, ...(await Promise.all(modules))) as Parts;
const { requestOf, quoted, curlOf, isRewritten, send, ADDRESS } = parts;
const { indented, typeOf, rowsOf, resolve, groupsOf } = parts;

const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed() && !value.includes('\0'));
const tricky = fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?~#&;|<>(){}[] \n\t-=%@aé') });

test('a quoted text is one word of a shell, unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(text, tricky), { minLength: 20, maxLength: 60 }), (texts) => {
      const command = `printf '%s\\0' ${texts.map(quoted).join(' ')}`;
      const printed = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
      assert.deepEqual(printed.split('\0').slice(0, -1), texts);
    }),
    { numRuns: 15 },
  );
});

test('what is filled in arrives as it is, and what is empty is not sent', () => {
  const path = '/runs/{id}';
  const parameters = [
    { in: 'path', name: 'id' },
    { in: 'query', name: 'a b&c' },
    { in: 'query', name: 'none' },
  ];
  const id = text.filter((value) => !['', '.', '..'].includes(value));
  fc.assert(
    fc.property(id, fc.array(text), (id, several) => {
      const values = { 'path id': [id], 'query a b&c': several, 'query none': [''] };
      const { url } = requestOf({ method: 'GET', path, parameters }, { base: 'http://host', values });
      const { pathname, searchParams } = new URL(url);
      assert.equal(decodeURIComponent(pathname), `/runs/${id}`);
      const sent = several.filter((value) => value !== '');
      assert.deepEqual(searchParams.getAll('a b&c'), sent);
      assert.equal([...searchParams].length, sent.length);
    }),
  );
});

test('an address that a browser would change is not sent, and the command keeps it', async () => {
  const operation = { method: 'GET', path: '/runs/{id}/url', parameters: [{ in: 'path', name: 'id' }] };
  const of = (id: string): Request => requestOf(operation, { base: 'http://127.0.0.1:1', values: { 'path id': [id] } });
  for (const id of ['.', '..']) {
    await assert.rejects(send(of(id)), /^Error: Browsers do not send \. or \.\. as a part of a path\. Use the command/);
    assert.match(curlOf(of(id)), /^curl --include --path-as-is \\\n {2}http:\/\/127\.0\.0\.1:1\/runs\/\.\.?\/url$/);
  }
  const id = fc.oneof(
    text,
    fc.string({ unit: fc.constantFrom('.', '/', '%2e', '%', '?', '#', '\\', 'a'), minLength: 1 }),
  );
  fc.assert(
    fc.property(id, (id) => {
      const { url } = of(id);
      assert.equal(isRewritten(url), id !== '' && new URL(url).href !== url, url);
    }),
    { numRuns: 300 },
  );
});

test('a link of a description leads to this service, or openly to another by https', () => {
  const start = fc.constantFrom(
    '/',
    '//',
    '/\\',
    '\\',
    '#',
    'https://',
    'https:',
    'http://',
    'javascript:',
    'data:',
    '',
  );
  const address = fc
    .tuple(start, fc.string({ unit: fc.constantFrom(...'/\\:@.#?%aZ_1') }))
    .map((each) => each.join(''));
  const base = 'http://service/docs';
  fc.assert(
    fc.property(address, (address) => {
      if (!ADDRESS.test(address) || address.startsWith('https://') || !URL.canParse(address, base)) return;
      assert.equal(new URL(address, base).origin, 'http://service', address);
    }),
    { numRuns: 1_000 },
  );
  for (const good of ['/openapi.json', '#getRun', 'https://spec.openapis.org/']) assert.match(good, ADDRESS);
  for (const bad of ['/\\host', '//host', 'http://host', 'javascript:alert(1)', 'x']) assert.doesNotMatch(bad, ADDRESS);
});

test('a command has method, headers and body of its request', () => {
  const operation = { method: 'PATCH', path: '/runs', parameters: [] };
  const given = { base: 'http://host', values: {}, token: 'secret', type: 'application/json', body: `{"a": "it's"}` };
  assert.equal(
    curlOf(requestOf(operation, given)),
    [
      'curl --include --request PATCH \\',
      '  http://host/runs \\',
      '  --header "Authorization: Bearer $TELEMETRY_API_AUTH_TOKEN" \\',
      "  --header 'Content-Type: application/json' \\",
      `  --data-raw '{"a": "it'\\''s"}'`,
    ].join('\n'),
  );
});

test('indented JSON is that of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (json) => {
      assert.equal(indented(json), JSON.stringify(JSON.parse(json), null, 2));
    }),
  );
});

test('indented JSON keeps numbers as they are written, and what is no JSON stays as it is', () => {
  assert.equal(indented('{"a":12345678901234567890,"b":1.0}'), '{\n  "a": 12345678901234567890,\n  "b": 1.0\n}');
  assert.equal(indented('# HELP {a}'), '# HELP {a}');
  assert.equal(indented(''), '');
});

test('schemas that contain themselves are shown, and end', () => {
  const root = { s: { Node: { type: 'object', required: ['next'], properties: { next: { $ref: '#/s/Node' } } } } };
  const names = rowsOf(root, { $ref: '#/s/Node' }).map(({ name }) => name);
  assert.deepEqual(names, ['next']);
  assert.equal(typeOf(root, { type: 'array', items: { $ref: '#/s/Node' } }), 'array of Node');
  const circle = { a: { $ref: '#/b' }, b: { $ref: '#/a' } };
  assert.deepEqual(resolve(circle, circle.a), {});
  assert.deepEqual(resolve({ a: { type: 'null' } }, { $ref: 'elsewhere.json#/a' }), {});
});

test('types are told with their bounds', () => {
  const count = {
    anyOf: [
      { type: ['integer', 'null'], minimum: 0, maximum: 9 },
      { type: 'string', minLength: 1 },
    ],
  };
  assert.equal(typeOf({}, count), 'integer (0 to 9) | null | string (not empty)');
  assert.equal(typeOf({}, { enum: ['a', 1] }), '"a" | 1');
  assert.equal(typeOf({}, true), 'any');
});

test('operations come by tag in the order of the document, and know whether they take a token', () => {
  const root = {
    tags: [{ name: 'B' }, { name: 'Empty' }],
    security: [{ key: [] }, {}],
    components: { securitySchemes: { key: { type: 'http', scheme: 'Bearer' } } },
    paths: { '/a': { summary: 'x', get: { tags: ['A'] }, put: { tags: ['B'], operationId: 'put', security: [] } } },
  };
  const seen = groupsOf(root).map(({ tag, operations }) => [tag, ...operations.map(({ id, bearer }) => [id, bearer])]);
  assert.deepEqual(seen, [
    ['B', ['put', false]],
    ['A', ['get-a', true]],
  ]);
});
