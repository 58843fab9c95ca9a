/** `healthcheck`: 0 or 1, and why. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createPlain } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ask, type Health } from '../../src/cli/healthcheck/ask.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService, type Reply } from '../support/fake-service.ts';
import { type Ended, startService, temporaryDirectory } from '../support/service.ts';

/** Against a service that gives this answer. */
async function answered(t: TestContext, reply: Reply | 'hang' | 'cut', ...words: string[]): Promise<Ended> {
  const service = await fakeService(t);
  service.script = () => reply;
  return cliHere(['healthcheck', '--url', service.url, ...words]);
}

/** A port of this machine where nothing listens. */
async function freePort(): Promise<number> {
  const server = createPlain();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a service that runs is well', async (t) => {
  const { url } = await startService(t);
  const { code, stdout, stderr } = await cli(['healthcheck', '--url', `${url}/`]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^The service at http:\/\/127\.0\.0\.1:\d+ is well \(version \d+\.\d+\.\d+\)\n$/);
  const { stdout: json } = await cliHere(['healthcheck', '--url', url, '--json']);
  const { version, ...told } = JSON.parse(json) as Record<string, unknown>;
  assert.deepEqual(told, { healthy: true, url, problem: null });
  assert.equal(typeof version, 'string');
});

test('without --url the configured host and port are asked; any address means this machine', async (t) => {
  const { url } = await startService(t);
  const { port } = new URL(url);
  for (const host of ['0.0.0.0', 'localhost']) {
    const ended = await cliHere(['healthcheck'], { TELEMETRY_API_HOST: host, TELEMETRY_API_PORT: port });
    assert.equal(ended.code, 0, `${host}: ${ended.stderr}`);
  }
  const base = temporaryDirectory(t);
  const settings = { TELEMETRY_BASE_DIR: base, TELEMETRY_API_HOST: '::', TELEMETRY_API_PORT: '9' };
  const { stdout } = await cliHere(['healthcheck', '--json', '--timeout', '1'], settings);
  assert.equal((JSON.parse(stdout) as { url: string }).url, 'http://[::1]:9');
});

test('where nothing listens it says so', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { code, stdout, stderr } = await cli(['healthcheck', '--url', url]);
  assert.deepEqual([code, stdout], [1, '']);
  assert.equal(
    stderr,
    `local-telemetry: The service at ${url} is not well: nothing listens there; start the service, or give its --url\n`,
  );
});

test('a service that hangs is not waited for longer than --timeout, even with half of an answer given', async (t) => {
  const server = createPlain((socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = [answered(t, 'hang', '--timeout', '1'), cliHere(['healthcheck', '--url', url, '--timeout', '1'])];
  for (const { code, stderr } of await Promise.all(asked)) {
    assert.equal(code, 1);
    assert.match(stderr, /is not well: no answer within 1 s\n$/);
  }
});

test('a service that is not well says why, and so does --json', async (t) => {
  const body = { status: 'unavailable', version: '1.0.0' };
  const { code, stderr } = await answered(t, { status: 503, body });
  assert.equal(code, 1);
  assert.match(stderr, /is not well: it answers 503: \{"status":"unavailable","version":"1.0.0"\}\n$/);
  const json = await answered(t, { status: 503, body }, '--json');
  const { healthy, problem } = JSON.parse(json.stdout) as { healthy: boolean; problem: string };
  assert.deepEqual([json.code, healthy], [1, false]);
  assert.match(problem, /^it answers 503/);
});

test('what is no telemetry service is not taken for one', async (t) => {
  const service = await fakeService(t);
  for (const [reply, why] of [
    [{ status: 200, body: '<a>\u001B[31mhello</a>' }, /what answers there is no telemetry service: <a> \[31mhello</],
    [{ status: 200, body: 'null' }, /no telemetry service: null/],
    [{ status: 200, body: '' }, /no telemetry service: \(nothing\)/],
    [{ status: 404, body: 'x'.repeat(300) }, /it answers 404: x{200}…$/],
    [{ status: 200, body: 'x'.repeat(100_000) }, /its answer is too long for \/health/],
    [{ status: 200, body: { status: 'starting', version: '1' } }, /it says "starting"/],
    ['cut', /socket hang up/],
  ] as const) {
    service.script = () => reply;
    const health = await ask(service.url, 60_000).catch((error: Error): Health => ({ problem: error.message }));
    assert.match(String(health.problem), why);
  }
  const { code, stderr } = await cliHere(['healthcheck', '--url', service.url]);
  assert.equal(code, 1);
  assert.match(stderr, /is not well: socket hang up\n$/);
});

test('what cannot be asked is a matter of the command line or of the configuration', async (t) => {
  for (const [words, why] of [
    [['--url', 'host:8765'], /--url must be an http or https address such as http:\/\/host:8765, not "host:8765"/],
    [
      ['--url', 'http://user:geheim@host:8765'],
      /--url takes no user and no password\. Set TELEMETRY_API_AUTH_TOKEN to/,
    ],
    [['--timeout', '0'], /--timeout must be a whole number from 1 to 600, not "0"/],
  ] as const) {
    const { code, stderr } = await cliHere(['healthcheck', ...words]);
    assert.equal(code, 2);
    assert.match(stderr, why);
    assert.ok(!stderr.includes('geheim'));
  }
  const settings = { TELEMETRY_BASE_DIR: temporaryDirectory(t), TELEMETRY_API_PORT: '0' };
  const { code, stderr } = await cliHere(['healthcheck'], settings);
  assert.equal(code, 1);
  assert.match(stderr, /TELEMETRY_API_PORT is 0, so the service is on any free port\. Set the port .*or give --url/);
});
