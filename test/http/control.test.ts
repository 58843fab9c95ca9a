import assert from 'node:assert/strict';
import { existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { timestampOf } from '../../src/run.ts';
import {
  localEnvironment,
  aRun,
  openToVerify,
  type Service,
  spawnService,
  startService,
  temporaryDirectory,
} from '../support/service.ts';
import { create, serviceOfFile } from '../support/http.ts';

/** For tests that leave nothing behind that another could see. */
const shared = serviceOfFile();

const DAY_MS = 24 * 60 * 60 * 1_000;
const daysAgo = (days: number): string => timestampOf(Date.now() - days * DAY_MS);

/** Asks a service over its control socket. */
function control(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown });
      });
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const socketOf = ({ path }: { path: string }): string => `${realpathSync(path)}.sock`;
const ask = (service: Service, method: string, path: string, body?: unknown): ReturnType<typeof control> =>
  control(socketOf(service), method, path, body);

test("the control socket is there as long as the service is, for the service's user only", async (t) => {
  const service = await startService(t);
  const socket = socketOf(service);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  await service.close();
  assert.equal(existsSync(socket), false);
});

test('the control socket answers every route of the API, without token and rate limit', async (t) => {
  const service = await startService(t, {
    TELEMETRY_API_AUTH_ENABLED: 'true',
    TELEMETRY_API_AUTH_TOKEN: 'secret',
    TELEMETRY_RATE_LIMIT_ENABLED: 'true',
    TELEMETRY_RATE_LIMIT_RPM: '1',
  });
  assert.equal((await service.request('GET', '/api/v1/runs')).status, 401);
  for (let round = 0; round < 3; round++) {
    assert.equal((await ask(service, 'POST', '/api/v1/runs', aRun())).status, 201);
  }
  const { body } = await ask(service, 'GET', '/api/v1/runs');
  assert.equal((body as unknown[]).length, 3);
});

test('the port knows none of the control routes', async () => {
  const service = shared();
  for (const path of ['/control/status', '/control/copy', '/control/retention']) {
    assert.equal((await service.request('GET', path)).status, 404);
    assert.equal((await service.request('POST', path, {})).status, 404);
  }
});

test('its status says who answers', async () => {
  const service = shared();
  const { body } = await ask(service, 'GET', '/control/status');
  const { pid, db_path, journal_mode, synchronous } = body as Record<string, unknown>;
  assert.deepEqual([pid, db_path, journal_mode, synchronous], [process.pid, service.path, 'DELETE', 'FULL']);
});

test('a socket that a killed service left is replaced', async (t) => {
  const directory = temporaryDirectory(t);
  const killed = await spawnService(localEnvironment(directory));
  killed.child.kill('SIGKILL');
  await killed.exited;
  const socket = join(realpathSync(directory), 'db', 'telemetry.sqlite.sock');
  assert.ok(existsSync(socket), 'nobody removed it');
  const service = await startService(t, {}, directory);
  assert.equal((await ask(service, 'GET', '/control/status')).status, 200);
});

test('where the socket cannot be opened the service says so and serves', async (t) => {
  const directory = temporaryDirectory(t);
  const deep = join(directory, 'x'.repeat(100));
  const service = await startService(t, { TELEMETRY_DB_PATH: join(deep, 'telemetry.sqlite') }, directory);
  const { level, message } = await service.logged(/^The control socket/);
  assert.equal(level, 'WARNING');
  assert.match(message, /cannot be opened \(its path has \d+ bytes, and 103 are possible\): commands that change/);
  await create(service);
});

test('a file in the place of the socket is left alone', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'db'));
  const path = join(directory, 'db', 'telemetry.sqlite.sock');
  writeFileSync(path, 'mine');
  const service = await startService(t, {}, directory);
  await service.logged(/^The control socket .* cannot be opened/);
  assert.equal(statSync(path).size, 4);
});

test('retention counts and deletes what is older, a slice at a time', async (t) => {
  const service = await startService(t);
  for (const days of [1, 10, 20, 30]) await create(service, { created_at: daysAgo(days) });
  const before = daysAgo(5);
  const query = new URLSearchParams({ before }).toString();
  assert.deepEqual((await ask(service, 'GET', `/control/retention?${query}`)).body, { before, runs: 3 });
  assert.deepEqual((await ask(service, 'POST', '/control/retention', { before, limit: 2 })).body, { deleted: 2 });
  assert.deepEqual((await ask(service, 'POST', '/control/retention', { before, limit: 2 })).body, { deleted: 1 });
  const { body } = await service.request('GET', '/metrics');
  assert.equal((body as { total_runs: number }).total_runs, 1);
});

test('what is asked wrongly is answered with the field and what it takes', async () => {
  const service = shared();
  const wrong: [string, unknown, string][] = [
    ['/control/retention', { limit: 1 }, 'before'],
    ['/control/retention', { before: 'yesterday', limit: 1 }, 'before'],
    ['/control/retention', { before: daysAgo(1), limit: 0 }, 'limit'],
    ['/control/retention', { before: daysAgo(1), limit: 10_001 }, 'limit'],
    ['/control/shrink', { pages: 1.5 }, 'pages'],
    ['/control/copy', { path: 'relative.sqlite' }, 'path'],
    ['/control/copy', {}, 'path'],
    ['/control/copy', { path: '/tmp/blank.sqlite ' }, 'path'],
    ['/control/copy', { path: '/tmp/nul\0.sqlite' }, 'path'],
    ['/control/reindex', { index: 7 }, 'index'],
  ];
  for (const [path, body, field] of wrong) {
    const answer = await ask(service, 'POST', path, body);
    const { detail } = answer.body as { detail: { loc: string[] }[] };
    assert.deepEqual([answer.status, detail[0]?.loc], [422, ['body', field]], `${path} ${JSON.stringify(body)}`);
  }
  assert.equal((await ask(service, 'POST', '/control/shrink', [1])).status, 422);
  assert.equal((await ask(service, 'POST', '/control/reindex', { index: 'none' })).status, 404);
});

test('a copy holds all that was acknowledged before it was asked for', async (t) => {
  const service = await startService(t);
  const { event_id } = await create(service);
  const path = join(service.directory, 'copy.sqlite');
  const answer = await ask(service, 'POST', '/control/copy', { path });
  assert.equal(answer.status, 200);
  const pages = (answer.body as { pages: number }).pages;
  const copy = openToVerify(t, path);
  assert.deepEqual(copy.prepare('SELECT event_id FROM agent_runs').pluck().all(), [event_id]);
  assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
  assert.equal(statSync(path).size, pages * 4096);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a copy that cannot be made is an error, and the service goes on', async () => {
  const service = shared();
  await create(service);
  const answer = await ask(service, 'POST', '/control/copy', { path: '/none/such/copy.sqlite' });
  assert.equal(answer.status, 400);
  assert.match(JSON.stringify(answer.body), /copy\.sqlite cannot be made: ENOENT.*Name a new one/);
  await create(service);
});

test('a copy is never made over a file that is there', async (t) => {
  const service = shared();
  await create(service);
  const path = join(service.directory, 'mine.sqlite');
  const mine = new Database(path);
  mine.exec('CREATE TABLE mine (x)');
  mine.close();
  assert.equal((await ask(service, 'POST', '/control/copy', { path })).status, 400);
  assert.equal((await ask(service, 'POST', '/control/copy', { path: service.path })).status, 400);
  const still = openToVerify(t, path);
  assert.deepEqual(still.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['mine']);
});

test('a copy of a database that another program holds is no copy, and waits for it', async (t) => {
  const service = await startService(t, { TELEMETRY_DB_BUSY_TIMEOUT_MS: '300' });
  await create(service);
  const path = join(service.directory, 'copy.sqlite');
  const foreign = new Database(service.path);
  t.after(() => foreign.close());
  foreign.exec('BEGIN EXCLUSIVE');
  const locked = await ask(service, 'POST', '/control/copy', { path });
  assert.equal(locked.status, 503);
  assert.match(JSON.stringify(locked.body), /locked by another program/);
  assert.equal(existsSync(path), false);
  foreign.exec('ROLLBACK');
  assert.equal((await ask(service, 'POST', '/control/copy', { path })).status, 200);
});

test('a copy ends when nobody waits for it any more, and leaves nothing', async (t) => {
  const service = await startService(t);
  const runs = Array.from({ length: 3_000 }, () => aRun({ output_summary: 'x'.repeat(4_000) }));
  for (let from = 0; from < runs.length; from += 1_000)
    await service.request('POST', '/api/v1/runs/batch', runs.slice(from, from + 1_000));
  const path = join(service.directory, 'copy.sqlite');
  const ended = Promise.withResolvers<string>();
  const copy = service.platform.writer.copy.bind(service.platform.writer);
  t.mock.method(service.platform.writer, 'copy', (to: string, signal: AbortSignal) => {
    sent.destroy();
    const copied = copy(to, signal);
    copied.then(
      () => ended.resolve('copied'),
      (error: Error) => ended.resolve(error.message),
    );
    return copied;
  });
  const sent = request({ socketPath: socketOf(service), method: 'POST', path: '/control/copy' });
  sent.on('error', () => undefined);
  sent.end(JSON.stringify({ path }));
  assert.match(await ended.promise, /nobody waits for it/);
  assert.equal(existsSync(path), false);
  await create(service);
});

test('SQLite looks after its statistics by itself every six hours', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const service = await startService(t);
  const optimized = Promise.withResolvers<unknown[]>();
  const send = service.platform.writer.send.bind(service.platform.writer);
  t.mock.method(service.platform.writer, 'send', (...args: Parameters<typeof send>) => {
    const result = send(...args);
    void result.then((value) => optimized.resolve([args[0], value]));
    return result;
  });
  t.mock.timers.tick(6 * 60 * 60 * 1_000);
  assert.deepEqual(await optimized.promise, ['optimize', { optimized: true }]);
});
