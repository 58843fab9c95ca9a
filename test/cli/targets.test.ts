/** Whom commands ask: services that hang, addresses with more in them than an address, tokens. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { addressOf, HttpTarget } from '../../src/cli/http-target.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { localEnvironment, spawnService, startService, temporaryDirectory } from '../support/service.ts';

const BOUNDS = { probeMs: 5_000, requestMs: 300, longMs: 600_000 };

interface SocketService {
  socketPath: string;
  server: Server;
  /** Answers to be given, by their paths. */
  kept: Map<string, ServerResponse>;
}

/** On a control socket: well, and all else it leaves without an answer. */
async function socketService(t: TestContext): Promise<SocketService> {
  const socketPath = join(temporaryDirectory(t), 'sock');
  const kept = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    if (request.url === '/health') response.end('{}');
    else kept.set(String(request.url), response);
  });
  await once(server.listen(socketPath), 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { socketPath, server, kept };
}

test('a command does not wait for a service that hangs longer than 10 s, and says what to do', async (t) => {
  const environment = localEnvironment(temporaryDirectory(t));
  const { child, exited } = await spawnService(environment);
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  child.kill('SIGSTOP');
  const { code, stdout, stderr } = await cli(['runs'], environment);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^local-telemetry: The service of .* does not answer: no answer within 10 s\. It hangs, or has too much to do: see its log, and start it again if it stays so\.\n$/,
  );
});

test('over the control socket every request has a bound, on a connection that was used before too', async (t) => {
  const { socketPath } = await socketService(t);
  const target = await HttpTarget.onSocket(socketPath, '/db', BOUNDS);
  assert.ok(target);
  t.after(() => target[Symbol.asyncDispose]());
  for (const path of ['/api/v1/runs', '/control/retention?before=2026-01-01', '/control/reindex']) {
    const why = /^The service of \/db does not answer: no answer within 0\.3 s\. It hangs/;
    await assert.rejects(target.request('GET', path), { code: 'unavailable', message: why });
  }
});

test('what takes as long as the database is large is waited for longer', async (t) => {
  const { socketPath, server, kept } = await socketService(t);
  const target = await HttpTarget.onSocket(socketPath, '/db', BOUNDS);
  assert.ok(target);
  t.after(() => target[Symbol.asyncDispose]());
  const long = ['copy', 'reindex', 'shrink', 'optimize'].map((name) => `/control/${name}`);
  const answers = long.map((path) => target.request('POST', path, '{}'));
  // Asked later, and over before them.
  await assert.rejects(target.request('POST', '/control/retention', '{}'), { code: 'unavailable' });
  while (!long.every((path) => kept.has(path))) await once(server, 'request');
  for (const path of long) kept.get(path)?.end('{}');
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
});

test('over a network the remedy is another, for an address may be wrong', async (t) => {
  const service = await fakeService(t);
  service.script = () => 'hang';
  await using target = HttpTarget.at(service.url, undefined, BOUNDS);
  const message = /no answer within 0\.3 s\. Is it running, and is the address right\?$/;
  await assert.rejects(target.request('GET', '/metrics'), { code: 'unavailable', message });
});

test('an address with a user and a password is refused, not stripped, and the password is not repeated', async () => {
  for (const address of ['http://user:geheim@127.0.0.1:1', 'user:geheim@host:1', 'http://user:geh/eim@host:1']) {
    const { code, stdout, stderr } = await cliHere(['runs', '--url', address]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--url takes no user and no password\. Set TELEMETRY_API_AUTH_TOKEN to the token of the/);
    assert.doesNotMatch(stderr, /geh|eim@/);
  }
  assert.equal(addressOf('http://host:1/@team/').pathname, '/@team/');
  assert.throws(() => addressOf('host:1'), { name: 'UsageError', message: /must be an http or https address/ });
});

test("a token that is missing or wrong is named by its setting, in the service's words too", async (t) => {
  const { url } = await startService(t, { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: 'right' });
  const remedy = 'Set TELEMETRY_API_AUTH_TOKEN to the token of the service';
  for (const [settings, why] of [
    [{}, 'Authorization header required. Use: Authorization: Bearer <token>'],
    [{ TELEMETRY_API_AUTH_TOKEN: 'wrong' }, 'Invalid authentication token'],
  ] as const) {
    const { code, stderr } = await cliHere(['runs', '--url', url], settings);
    assert.equal(code, 1);
    assert.equal(stderr, `local-telemetry: The service at ${url} answered 401: ${why}. ${remedy}\n`);
  }
  assert.equal((await cliHere(['runs', '--url', url], { TELEMETRY_API_AUTH_TOKEN: 'right' })).code, 0);
});
