/** What `doctor` makes of a service that hangs, of folders it may not look into, and of hostile answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkDatabase } from '../../src/cli/doctor/database.ts';
import { checkLeftovers } from '../../src/cli/doctor/leftovers.ts';
import { checkLock, lockOf } from '../../src/cli/doctor/lock.ts';
import { look } from '../../src/cli/doctor/look.ts';
import { HttpTarget } from '../../src/cli/http-target.ts';
import { ProcessLock } from '../../src/actors/writer/lock.ts';
import type { Check } from '../../src/offline/check.ts';
import { cliHere } from '../support/cli-here.ts';
import { testConfig } from '../support/config.ts';
import { localEnvironment, temporaryDirectory } from '../support/service.ts';
import { closedDatabase } from '../offline/closed.ts';

/** Something that takes connections on the control socket; what it does with a request is given. */
async function answering(t: TestContext, path: string, listener: RequestListener): Promise<void> {
  const server = createServer(listener);
  await once(server.listen(`${path}.sock`), 'listening');
  t.after(() => (server.close(), server.closeAllConnections()));
}

for (const [name, silent] of [
  ['nothing', () => true],
  ['only whether it is there', (url: string) => url !== '/health'],
] as const) {
  test(`a service that answers ${name} is a problem, which no other check waits for`, async (t) => {
    const directory = temporaryDirectory(t);
    const path = closedDatabase(directory, 1);
    const held = new ProcessLock(path, undefined);
    t.after(() => held.release());
    await answering(t, path, (request, response) => void (silent(request.url ?? '') || response.end('{}')));
    const bounds = { probeMs: 100, requestMs: 100, longMs: 100 };
    const open = (): Promise<HttpTarget | undefined> => HttpTarget.onSocket(`${path}.sock`, path, bounds);
    await using seen = await look(testConfig(directory), true, open);
    const lock = { ...lockOf([`${path}.lock`]), held: true };
    const { state, summary, details, remedy } = checkLock(lock, seen);
    assert.equal(state, 'bad');
    assert.match(summary, new RegExp(`^pid ${process.pid} on host .* holds the lock, but does not answer$`));
    assert.match(details.join(''), /no answer within 0\.1 s/);
    assert.match(remedy ?? '', /^It hangs/);
    assert.equal(seen.service, undefined);
    assert.equal(checkDatabase(seen, true).state, 'ok');
    assert.equal(checkLeftovers(seen, true).state, 'ok');
  });
}

test('a folder that may not be looked into is reported, and is no reason to restore', async (t) => {
  const directory = temporaryDirectory(t);
  symlinkSync('loop', join(directory, 'loop'));
  const path = join(directory, 'loop', 'telemetry.sqlite');
  const { code, stdout } = await cliHere(['doctor', '--db', path, '--json'], localEnvironment(directory));
  assert.equal(code, 3);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  const of = (name: string): Check => checks.find((check) => check.name === name) as Check;
  assert.match(of('database').summary, /could not be looked at: ELOOP/);
  assert.match(of('lock').summary, /cannot be looked at: ELOOP/);
  for (const { remedy = '' } of checks) assert.doesNotMatch(remedy, /restore/);
});

test('what kills left is named one a line, in the folder of backups, too', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const backups = join(dirname(path), 'backups');
  mkdirSync(backups);
  const partial = 'telemetry-20260110T120000Z.sqlite.7-0a.partial';
  writeFileSync(join(backups, partial), 'x');
  writeFileSync(`${path}.7-0b.verifying`, 'x');
  const { stdout } = await cliHere(['doctor'], localEnvironment(directory));
  const lines = stdout
    .slice(stdout.indexOf('leftovers'))
    .split('\n')
    .map((line) => line.trim());
  assert.match(lines[0] ?? '', /^leftovers +2 files$/);
  assert.match(lines[1] ?? '', /^telemetry\.sqlite\.7-0b\.verifying \(1 bytes\): /);
  assert.match(lines[2] ?? '', new RegExp(`^${partial} \\(1 bytes\\): an unfinished backup$`));
  assert.match(lines[3] ?? '', /^-> telemetry\.sqlite\.7-0b\.verifying: /);
  assert.match(lines[4] ?? '', new RegExp(`^-> ${partial}: `));
});

test('what another program answers does not command the terminal', async (t) => {
  const directory = temporaryDirectory(t);
  const answer = JSON.stringify({ status: 'ok', version: '1', db_path: '/x/\u001B]0;owned\u0007\u009Bevil\u007F' });
  const server = createServer((_request, response) => response.end(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const settings = {
    ...localEnvironment(directory),
    TELEMETRY_API_PORT: String((server.address() as AddressInfo).port),
  };
  for (const words of [['doctor'], ['doctor', '--json']]) {
    const { code, stdout } = await cliHere(words, settings);
    assert.equal(code, 3);
    assert.match(stdout, /has another database: .*evil/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u);
  }
});
