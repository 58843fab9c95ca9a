/** What a client has already is not sent again, and nothing that was written is ever hidden by that. */
import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Call, Services } from '../../src/http/call.ts';
import { unlessKnown } from '../../src/http/conditional.ts';
import { ok } from '../../src/http/reply.ts';
import {
  assertError,
  BATCH,
  create,
  foreignConnection,
  pathOf,
  type Run,
  RUNS,
  serviceOfFile,
} from '../support/http.ts';
import { type Answer, aRun, type Service, startService } from '../support/service.ts';
import { goodLines, linesOf } from '../support/spool.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const service = serviceOfFile();

const PAST = new Date('2026-01-10T12:00:00Z');
const METADATA = '/api/v1/metadata';
const NOTHING = new Uint8Array();

/** The database's file looks as if it had been written at one moment, whenever and however often it was. */
const settle = ({ path }: Service, at = PAST): void => utimesSync(path, at, at);

const get = (path: string, known?: string, from = service()): Promise<Answer> =>
  from.request('GET', path, undefined, known === undefined ? {} : { 'If-None-Match': known });

const tagOf = ({ headers }: Answer): string => headers.get('etag') ?? assert.fail('there is no ETag');

/** The tag of an answer that is there. */
async function tagAt(path: string, from = service()): Promise<string> {
  const answer = await get(path, undefined, from);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return tagOf(answer);
}

async function statusOf(path: string, known: string, from = service()): Promise<number> {
  return (await get(path, known, from)).status;
}

const linesIn = (): number => service().logs.filter(({ message }) => message === 'Query executed').length;

/** From now on no reader answers. */
function withoutReaders(t: TestContext): void {
  const fail = (): Promise<never> => Promise.reject(new Error('asked'));
  t.mock.method(service().platform.readers, 'ask', fail);
  t.mock.method(service().platform.readers, 'list', fail);
}

test('what the client has is answered 304, asking no reader and logging nothing', async (t) => {
  const { event_id } = await create(service());
  settle(service());
  const paths = [
    RUNS,
    `${RUNS}?agent_name=tester&limit=1`,
    pathOf(event_id),
    pathOf(event_id, '/commit-url'),
    pathOf(event_id, '/repo-url'),
    METADATA,
  ];
  const tags: string[] = [];
  for (const path of paths) {
    const { headers } = await get(path);
    assert.match(headers.get('etag') ?? '', /^W\/"[\w-]{22}"$/, path);
    assert.equal(headers.get('cache-control'), 'no-cache', path);
    tags.push(headers.get('etag') ?? '');
  }
  withoutReaders(t);
  const lines = linesIn();
  for (const [index, path] of paths.entries()) {
    const tag = tags[index] ?? '';
    for (const known of [tag, tag.replace('W/', ''), `"other", W/"more",${tag} , "last"`]) {
      const { status, headers, body } = await get(path, known);
      assert.deepEqual([status, body], [304, undefined], `${path} ${known}`);
      const shown = ['etag', 'cache-control', 'content-type', 'content-length'].map((name) => headers.get(name));
      assert.deepEqual(shown, [tag, 'no-cache', null, null], path);
    }
    assert.equal((await service().request('HEAD', path, undefined, { 'If-None-Match': tag })).status, 304);
  }
  assert.equal(linesIn(), lines);
});

test('another tag, or what is none, is answered in full', async () => {
  settle(service());
  const tag = await tagAt(METADATA);
  for (const known of ['', '"other"', tag.slice(0, -2), tag.slice(3, -1), tag.toUpperCase(), '**', ',,'])
    assert.equal(await statusOf(METADATA, known), 200, known);
});

test('a tag belongs to one address', async () => {
  const [one, other] = [await create(service()), await create(service())];
  settle(service());
  const tag = await tagAt(pathOf(one.event_id));
  assert.equal(await statusOf(pathOf(other.event_id), tag), 200);
  assert.equal(await statusOf(pathOf('nobody'), tag), 404);
  assert.equal(await statusOf(`${RUNS}?limit=2`, await tagAt(`${RUNS}?limit=1`)), 200);
});

test('* stands for whatever there is, and for nothing where there is none', async () => {
  const { event_id } = await create(service());
  settle(service());
  for (const path of [RUNS, pathOf(event_id), METADATA]) assert.equal(await statusOf(path, '*'), 304, path);
  assertError(await get(pathOf('nobody'), '*'), 404, 'Run not found: nobody');
});

test('what is refused is refused to those who have a tag too, and has none', async () => {
  settle(service());
  for (const [path, status] of [
    [`${RUNS}?status=done`, 400],
    [`${RUNS}?limit=0`, 422],
    [pathOf('nobody'), 404],
  ] as const) {
    for (const known of ['*', await tagAt(METADATA)]) {
      const answer = await get(path, known);
      assert.deepEqual([answer.status, answer.headers.get('etag')], [status, null], path);
      assert.equal(answer.headers.get('cache-control'), null, path);
    }
  }
});

/** Everything that writes. */
const WRITES: readonly (readonly [name: string, write: (run: Run) => Promise<unknown>])[] = [
  ['a new run', () => create(service())],
  ['a batch', () => service().request('POST', BATCH, [aRun()])],
  [
    'a merged batch',
    (run) => service().request('POST', `${BATCH}?on_duplicate=merge`, [{ ...run, status: 'success' }]),
  ],
  ['a change', ({ event_id }) => service().request('PATCH', pathOf(event_id), { items_failed: 7 })],
  [
    'a commit',
    ({ event_id }) =>
      service().request('POST', pathOf(event_id, '/associate-commit'), { commit_hash: 'abcdef1', commit_source: 'ci' }),
  ],
  [
    'lines of the spool',
    () => {
      writeFileSync(join(spoolOf(service().directory), 'a.jsonl.ready'), linesOf(...goodLines(1)));
      return drained(service(), 1);
    },
  ],
  ['a retention', () => service().platform.writer.send('delete', { before: '2000', limit: 1 }, NOTHING)],
  ['a recount', () => service().platform.writer.send('recount', {}, NOTHING)],
];

for (const [name, write] of WRITES) {
  test(`after ${name} no tag of before is good, whatever the file looks like`, async () => {
    const run = await create(service(), { created_at: '1999-01-10T12:00:00Z' });
    settle(service());
    const paths = [RUNS, pathOf(run.event_id), METADATA];
    const tags = await Promise.all(paths.map((path) => tagAt(path)));
    await write(run);
    settle(service());
    for (const [index, path] of paths.entries()) assert.notEqual(await statusOf(path, tags[index] ?? ''), 304, path);
  });
}

test('a tag is taken before the query: what is written meanwhile makes it worthless', async (t) => {
  const { event_id } = await create(service());
  settle(service());
  const { readers } = service().platform;
  const ask = readers.ask.bind(readers);
  const mocked = t.mock.method(readers, 'ask', async (...asked: Parameters<typeof ask>) => {
    const answer = await ask(...asked);
    await service().request('PATCH', pathOf(event_id), { items_failed: 1 });
    settle(service());
    return answer;
  });
  const old = await get(pathOf(event_id));
  mocked.mock.restore();
  assert.equal((old.body as Run).items_failed, 0);
  assert.equal(await statusOf(pathOf(event_id), tagOf(old)), 200);
});

test('among reads and writes at once, no tag is good for an answer that is older than an acknowledged write', async (t) => {
  const { event_id } = await create(service());
  // Every file counts as written long ago, so that each answer has a tag.
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() + 3_600_000);
  let kept = [await get(pathOf(event_id))];
  for (let round = 1; round <= 30; round++) {
    const writing = service().request('PATCH', pathOf(event_id), { items_succeeded: round });
    const [seen] = await Promise.all([Promise.all([1, 2, 3].map(() => get(pathOf(event_id)))), writing]);
    kept = [...kept, ...seen].slice(-6);
    for (const answer of kept) {
      const isNew = (answer.body as Run).items_succeeded === round;
      const status = await statusOf(pathOf(event_id), tagOf(answer));
      assert.ok(isNew || status === 200, `an answer of before round ${round} is taken for the newest`);
    }
    assert.equal(await statusOf(pathOf(event_id), await tagAt(pathOf(event_id))), 304);
  }
});

test('what another program writes is seen at once', async (t) => {
  const { event_id } = await create(service());
  settle(service());
  const tag = await tagAt(pathOf(event_id));
  foreignConnection(t, service().path).exec("UPDATE agent_runs SET product = 'x'");
  settle(service(), new Date(PAST.getTime() + 1));
  const answer = await get(pathOf(event_id), tag);
  assert.deepEqual([answer.status, (answer.body as Run).product], [200, 'x']);
});

test('while two writes could leave the same time, answers have no tag', async () => {
  const { event_id } = await create(service());
  settle(service());
  const tag = await tagAt(pathOf(event_id));
  // A clock that is behind the file's is no better.
  settle(service(), new Date(Date.now() + 3_600_000));
  const answer = await get(pathOf(event_id), tag);
  assert.deepEqual([answer.status, answer.headers.get('etag')], [200, null]);
  assert.equal(answer.headers.get('cache-control'), 'no-cache');
});

test('no tag lives longer than a minute', async (t) => {
  settle(service());
  const tag = await tagAt(METADATA);
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + 60_000);
  assert.equal(await statusOf(METADATA, tag), 200);
});

test('in WAL mode a write of another program is seen too', async (t) => {
  const settleBoth = ({ path }: Service): void => [path, `${path}-wal`].forEach((file) => utimesSync(file, PAST, PAST));
  const own = await startService(t, { TELEMETRY_DB_JOURNAL_MODE: 'WAL' });
  const run = pathOf((await create(own)).event_id);
  settleBoth(own);
  const tag = await tagAt(run, own);
  assert.equal(await statusOf(run, tag, own), 304);
  foreignConnection(t, own.path).exec("UPDATE agent_runs SET product = 'x'");
  settleBoth(own);
  assert.equal(await statusOf(run, tag, own), 200);
});

/** What is answered by a writer that has written as much as any other, on the same database. */
async function headersBy(writer: object, token?: string): Promise<Readonly<Record<string, string>>> {
  const call = { path: RUNS, query: new URLSearchParams(), headers: {} } as unknown as Call;
  const services = { writer, http: { token } } as unknown as Services;
  return (await unlessKnown(call, services, () => Promise.resolve(ok([])))).headers ?? {};
}

test('the tags of one service are worth nothing to the next, nor to another in the same process', async () => {
  settle(service());
  const { info } = service().platform.writer;
  const [one, other] = [
    { info, version: 5 },
    { info, version: 5 },
  ];
  const [tag, again, others] = [await headersBy(one), await headersBy(one), await headersBy(other)];
  assert.ok(tag.ETag !== undefined && others.ETag !== undefined);
  assert.equal(again.ETag, tag.ETag);
  assert.notEqual(others.ETag, tag.ETag);
});

test('where there is a token, caches that many share keep nothing', async () => {
  assert.equal((await headersBy({}, 'secret'))['Cache-Control'], 'private, no-cache');
});

test('a database without a writer is read without tags', async () => {
  assert.deepEqual(await headersBy({}), { 'Cache-Control': 'no-cache' });
});
