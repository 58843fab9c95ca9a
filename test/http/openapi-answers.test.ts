/** What the service answers is what the document says: each route, each status, body and headers. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { after, test, type TestContext } from 'node:test';
import { type ErrorCode, TelemetryError } from '../../src/errors.ts';
import { Pace } from '../../src/http/intake/pace.ts';
import { BATCH, foreignConnection, pathOf, RUNS, serviceOfFile } from '../support/http.ts';
import { assertDocumented, assertValid, DOCUMENT, type HttpAnswer, OPERATIONS } from '../support/openapi.ts';
import { aRun } from '../support/service.ts';

const TOKEN = 'correct-horse-battery-staple';
const MAX_BODY = 4096;
const service = serviceOfFile({
  TELEMETRY_API_AUTH_ENABLED: 'true',
  TELEMETRY_API_AUTH_TOKEN: TOKEN,
  TELEMETRY_RATE_LIMIT_ENABLED: 'true',
  TELEMETRY_RATE_LIMIT_RPM: '1',
  TELEMETRY_TRUSTED_PROXIES: '127.0.0.1',
  TELEMETRY_MAX_BODY_BYTES: String(MAX_BODY),
  TELEMETRY_MAX_BATCH_BYTES: String(MAX_BODY),
});

interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
}

/** "GET /health 200": all that was asked for and answered. */
const seen = new Set<string>();
let address = 0;

const asSent = (body: unknown): string | ReadableStream =>
  typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body);

/** Asks as a client that has the token, and an address of its own, so that the limit of one request holds up nobody. */
async function ask(method: string, path: string, { body, headers = {} }: Sent = {}): Promise<HttpAnswer> {
  address++;
  const client = `10.0.${address >> 8}.${address & 255}`;
  const response = await fetch(service().url + path, {
    method,
    redirect: 'manual',
    headers: { Authorization: `Bearer ${TOKEN}`, 'X-Forwarded-For': client, ...headers },
    duplex: 'half',
    ...(body !== undefined && { body: asSent(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks, and holds the answer to the document. */
async function answers(status: number, method: string, route: string, path: string, sent?: Sent): Promise<HttpAnswer> {
  const answer = await ask(method, path, sent);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  assertDocumented(method, route, answer);
  seen.add(`${method} ${route} ${status}`);
  return answer;
}

async function create(): Promise<{ event_id: string }> {
  const run = aRun();
  await answers(201, 'POST', RUNS, RUNS, { body: run });
  return run;
}

const RUN = `${RUNS}/{event_id}`;
const ASSOCIATE = `${RUN}/associate-commit`;
const COMMIT = { commit_hash: 'abcdef1', commit_source: 'ci' };
const known = aRun({
  git_repo: 'git@github.com:acme/site.git',
  git_commit_hash: 'abcdef1',
  metrics_json: { tokens: 1 },
  end_time: '2026-01-10T13:00:00+01:00',
});
const KNOWN = pathOf(known.event_id);

/** The routes that write: method, route, a path and a body that are taken, a body that is refused. */
const WRITES = [
  ['POST', RUNS, RUNS, aRun(), {}],
  ['POST', BATCH, BATCH, [aRun()], 'no JSON'],
  ['PATCH', RUN, KNOWN, { status: 'success' }, { status: 'odd' }],
  ['POST', ASSOCIATE, `${KNOWN}/associate-commit`, COMMIT, { commit_hash: '..' }],
] as const;

/** The routes that only read, but those whose answers come in many forms. */
const READS = [
  ['GET', RUN, KNOWN],
  ['GET', `${RUN}/commit-url`, `${KNOWN}/commit-url`],
  ['GET', `${RUN}/repo-url`, `${KNOWN}/repo-url`],
  ['GET', '/api/v1/metadata', '/api/v1/metadata'],
  ['GET', RUNS, `${RUNS}?limit=1`],
  ['GET', '/metrics', '/metrics'],
] as const;
/** Answers whatever it can find out. */
const SCRAPE = ['GET', '/metrics/prometheus', '/metrics/prometheus'] as const;

test('runs are taken as documented: new ones, known ones, many, in both forms, merged', async () => {
  await answers(201, 'POST', RUNS, RUNS, { body: known });
  await answers(200, 'POST', RUNS, RUNS, { body: known });
  const merge = `${BATCH}?on_duplicate=merge`;
  await answers(200, 'POST', BATCH, BATCH, { body: [known, aRun(), null, {}] });
  await answers(200, 'POST', BATCH, merge, { body: [{ ...known, status: 'success' }] });
  await answers(201, 'POST', BATCH, BATCH, { body: { runs: [aRun()] } });
  await answers(200, 'POST', BATCH, merge, { body: { runs: [known, 5] } });
});

test('runs are changed and given their commit as documented', async () => {
  for (const [method, route, path, body] of WRITES.slice(2)) await answers(200, method, route, path, { body });
});

test('everything is read as documented', async () => {
  for (const [method, route, path] of [...READS, SCRAPE]) await answers(200, method, route, path);
  const page = await answers(200, 'GET', RUNS, `${RUNS}?limit=1`);
  assert.match(page.headers.get('link') ?? '', /rel="next"$/);
  await answers(200, 'GET', RUNS, `${RUNS}?agent_name=nobody`);
  for (const format of ['json', 'prometheus', 'openmetrics'])
    await answers(200, 'GET', '/metrics', `/metrics?format=${format}`);
  await answers(200, 'GET', '/metrics/prometheus', '/metrics/prometheus?format=openmetrics');
});

test('what the client has is not sent again, as documented', async () => {
  // As if written long ago: what was written just now has no tag.
  utimesSync(service().path, 0, 0);
  for (const [method, route, path] of READS.filter(([, route]) => route !== '/metrics')) {
    const { headers } = await answers(200, method, route, path);
    const known = headers.get('etag') ?? assert.fail(`${path} has no ETag`);
    await answers(304, method, route, path, { headers: { 'If-None-Match': known } });
  }
});

test('text that is no JSON, from another program, is given back as documented', async (t) => {
  const run = await create();
  const change = 'UPDATE agent_runs SET metrics_json = ?, context_json = ? WHERE event_id = ?';
  foreignConnection(t, service().path).prepare(change).run('no JSON', '{', run.event_id);
  const { text } = await answers(200, 'GET', RUN, pathOf(run.event_id));
  assert.match(text, /metrics_json_parse_error.*context_json_parse_error/);
});

test('JSON that is no object, and a number below 1, from another program, are given back as documented', async (t) => {
  const foreign = foreignConnection(t, service().path);
  const change = 'UPDATE agent_runs SET id = ?, metrics_json = ?, context_json = ? WHERE event_id = ?';
  for (const [id, metrics, context] of [
    [-5, '[1]', '5'],
    [0, 'true', '"text"'],
    [-6, 'null', '{"a":1}'],
  ] as const) {
    const run = await create();
    foreign.prepare(change).run(id, metrics, context, run.event_id);
    const { text } = await answers(200, 'GET', RUN, pathOf(run.event_id));
    const shown = JSON.parse(text) as Record<string, unknown>;
    const stored = [id, JSON.parse(metrics), JSON.parse(context)];
    assert.deepEqual([shown.id, shown.metrics_json, shown.context_json], stored);
  }
  await answers(200, 'GET', RUNS, RUNS);
});

test('what is open is read as documented, without a token', async () => {
  const headers = { Authorization: '' };
  for (const path of ['/health', '/readyz', '/openapi.json', '/docs', '/docs/page.css'])
    await answers(200, 'GET', path, path, { headers });
  await answers(200, 'GET', '/docs/{file}', '/docs/page.js', { headers });
  await answers(308, 'GET', '/redoc', '/redoc', { headers });
});

test('a file of the page that is known is not sent again, as documented', async () => {
  for (const [route, path] of [
    ['/docs', '/docs'],
    ['/docs/page.css', '/docs/page.css'],
    ['/docs/{file}', '/docs/page.js'],
  ] as const) {
    const { headers } = await ask('GET', path);
    for (const known of [headers.get('etag') ?? '', '*'])
      await answers(304, 'GET', route, path, { headers: { 'If-None-Match': known } });
  }
});

test('the document that is served is the one that is held to here', async () => {
  const { text } = await ask('GET', '/openapi.json');
  const served = JSON.parse(text) as { info: { version: string } };
  const { version } = JSON.parse((await ask('GET', '/health')).text) as { version: string };
  assert.equal(served.info.version, version);
  assert.deepEqual({ ...served, info: null }, { ...DOCUMENT, info: null });
});

test('requests that are wrong are refused as documented', async () => {
  for (const [method, route, path, body, wrong] of WRITES) {
    await answers(422, method, route, path, { body: wrong });
    await answers(400, method, route, path, { body, headers: { 'Content-Encoding': 'gzip' } });
    await answers(415, method, route, path, { body, headers: { 'Content-Encoding': 'br' } });
    await answers(413, method, route, path, { body: 'x'.repeat(MAX_BODY + 1) });
  }
  await answers(422, 'POST', BATCH, `${BATCH}?on_duplicate=odd`, { body: [] });
  await answers(422, 'POST', BATCH, BATCH, { body: { runs: 5 } });
  await answers(422, 'POST', RUNS, RUNS, { body: aRun({ metrics_json: 5, duration_ms: -1, api_posted: 'odd' }) });
  await answers(400, 'PATCH', RUN, KNOWN, { body: {} });
  for (const query of ['status=odd', 'created_before=odd']) await answers(400, 'GET', RUNS, `${RUNS}?${query}`);
  for (const query of ['limit=0', 'limit=odd', 'offset=-1', 'cursor=odd'])
    await answers(422, 'GET', RUNS, `${RUNS}?${query}`);
  const wrong = { '/metrics': 'format=odd', '/metrics/prometheus': 'format=json', '/api/v1/metadata': 'limit=0' };
  for (const [path, query] of Object.entries(wrong)) await answers(422, 'GET', path, `${path}?${query}`);
});

test('a body that comes too slowly is refused as documented', async (t) => {
  t.mock.method(Pace.prototype, 'isOver', () => true);
  const begun = (): ReadableStream => new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{')) });
  await Promise.all(WRITES.map(([method, route, path]) => answers(408, method, route, path, { body: begun() })));
});

test('what is not there is answered as documented', async () => {
  const nobody = pathOf('nobody');
  await answers(404, 'GET', RUN, nobody);
  await answers(404, 'PATCH', RUN, nobody, { body: {} });
  await answers(404, 'POST', ASSOCIATE, `${nobody}/associate-commit`, { body: COMMIT });
  for (const rest of ['commit-url', 'repo-url']) await answers(404, 'GET', `${RUN}/${rest}`, `${nobody}/${rest}`);
  await answers(404, 'GET', '/docs/{file}', '/docs/nothing.js');
});

test('without a token and over the limit every route that is not open answers as documented', async () => {
  const [headers, spent] = [{ Authorization: '' }, { 'X-Forwarded-For': '10.9.9.9' }];
  await ask('GET', RUNS, { headers: spent });
  for (const [method, route, path] of [...READS, SCRAPE, ...WRITES]) {
    await answers(401, method, route, path, { headers });
    await answers(429, method, route, path, { headers: spent });
  }
});

/** Every command and query fails so from now on. */
function failing(t: TestContext, code: ErrorCode): void {
  const fail = (): Promise<never> => Promise.reject(new TelemetryError(code, 'why'));
  const { writer, readers } = service().platform;
  t.mock.method(writer, 'send', fail);
  t.mock.method(readers, 'ask', fail);
  t.mock.method(readers, 'list', fail);
}

for (const [code, status] of [
  ['busy', 503],
  ['unavailable', 503],
  ['damaged', 500],
  ['internal', 500],
] as const) {
  test(`where everything fails as ${code}, every route that needs the database answers as documented`, async (t) => {
    failing(t, code);
    for (const [method, route, path, body] of [...READS, ...WRITES])
      await answers(status, method, route, path, { body });
  });
}

test('where the disk is full, every route that writes answers as documented', async (t) => {
  failing(t, 'full');
  for (const [method, route, path, body] of WRITES) await answers(507, method, route, path, { body });
});

test('without a writer the service says so as documented', async (t) => {
  t.mock.getter(service().platform.writer, 'downForMs', () => 5_000);
  await answers(503, 'GET', '/health', '/health');
  await answers(503, 'GET', '/readyz', '/readyz');
});

test('no such route, and no such method, are errors like every other', async () => {
  const error = { $ref: '#/components/schemas/Error' };
  const [unknown, wrong] = [await ask('GET', '/nothing'), await ask('DELETE', KNOWN)];
  assert.deepEqual([unknown.status, wrong.status, wrong.headers.get('allow')], [404, 405, 'GET, HEAD, PATCH']);
  for (const { text } of [unknown, wrong]) assertValid(error, JSON.parse(text), text);
});

test('every method that Allow names is answered, and no other; OPTIONS is none, and gives nothing to other origins', async () => {
  const headers = { Origin: 'http://elsewhere', 'Access-Control-Request-Method': 'POST' };
  for (const [path, allowed] of [
    [KNOWN, ['GET', 'HEAD', 'PATCH']],
    [`${KNOWN}/associate-commit`, ['POST']],
    ['/docs', ['GET', 'HEAD']],
  ] as const) {
    for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await ask(method, path, { headers });
      assert.equal(answer.status !== 405, (allowed as readonly string[]).includes(method), `${method} ${path}`);
      if (answer.status === 405) assert.equal(answer.headers.get('allow'), allowed.join(', '), `${method} ${path}`);
      assert.deepEqual(
        [...answer.headers.keys()].filter((name) => name.startsWith('access-control')),
        [],
      );
    }
  }
});

test('HEAD is answered as GET is, without a body', async () => {
  for (const path of [KNOWN, '/docs', '/metrics', '/redoc', pathOf('nobody')]) {
    const [head, got] = [await ask('HEAD', path), await ask('GET', path)];
    assert.deepEqual([head.status, head.headers.get('content-type')], [got.status, got.headers.get('content-type')]);
    assert.equal(head.text, '');
  }
});

after(() => {
  const documentedStatuses = OPERATIONS.flatMap(({ method, path, operation }) =>
    Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`),
  );
  // Nothing that they do can fail; should it, the answer is the one of all faults.
  const faultless = /^GET \/(health|readyz|metrics\/prometheus|openapi\.json|docs.*|redoc) 500$/;
  const unseen = documentedStatuses.filter((one) => !seen.has(one) && !faultless.test(one));
  assert.deepEqual(unseen, [], 'statuses in the document that the service was never seen to answer');
});
