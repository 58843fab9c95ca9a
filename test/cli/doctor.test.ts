import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ProcessLock } from '../../src/actors/writer/lock.ts';
import { checkDatabase } from '../../src/cli/doctor/database.ts';
import { look } from '../../src/cli/doctor/look.ts';
import { spaceOf } from '../../src/cli/doctor/places.ts';
import { checkNode } from '../../src/cli/doctor/runtime.ts';
import type { Check } from '../../src/offline/check.ts';
import { closedDatabase } from '../offline/closed.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { testConfig } from '../support/config.ts';
import { digestsOf, madeWithHotJournal } from '../support/files.ts';
import { behindOurBack } from '../support/session.ts';
import {
  aRun,
  type Ended,
  type Environment,
  localEnvironment,
  startService,
  temporaryDirectory,
} from '../support/service.ts';
import { spoolOf } from '../support/spool-service.ts';

interface Seen {
  state: string;
  summary: string;
  details: string[];
  remedy?: string;
}

interface Found {
  code: number | null;
  ok: boolean;
  checks: Record<string, Seen>;
}

/** In a process of its own, where a service or its lock lives in this one. */
const doctorApart = (settings: Environment): Promise<Found> => found(cli(['doctor', '--json'], settings));
const doctor = (settings: Environment): Promise<Found> => found(cliHere(['doctor', '--json'], settings));

async function found(ended: Promise<Ended>): Promise<Found> {
  const { code, stdout, stderr } = await ended;
  assert.ok(stdout, stderr);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: ({ name: string } & Seen)[] };
  return { code, ok, checks: Object.fromEntries(checks.map(({ name, ...check }) => [name, check])) };
}

/** Names and times of everything below a folder. */
const contentOf = (directory: string): unknown =>
  (readdirSync(directory, { recursive: true }) as string[])
    .sort()
    .map((name) => [name, statSync(join(directory, name)).size, statSync(join(directory, name)).mtimeMs]);

// What the machine of the test is like is no concern of these tests.
const OURS = [
  'node',
  'packages',
  'sqlite',
  'configuration',
  'database',
  'pragmas',
  'lock',
  'permissions',
  'clock',
  'spool',
  'port',
  'leftovers',
];
const notOk = ({ checks }: Found): string[] => OURS.filter((name) => checks[name]?.state !== 'ok');

test('a healthy service has nothing to be told, and nothing is written', async (t) => {
  const service = await startService(t);
  await service.request('POST', '/api/v1/runs', aRun());
  const settings = { ...localEnvironment(service.directory), TELEMETRY_API_PORT: new URL(service.url).port };
  const before = contentOf(service.directory);
  const found = await doctorApart(settings);
  assert.deepEqual(notOk(found), []);
  assert.deepEqual([found.code, found.ok, Object.keys(found.checks).length], [0, true, 14]);
  assert.deepEqual(contentOf(service.directory), before);
  assert.match(
    found.checks.lock?.summary ?? '',
    new RegExp(`held by pid ${process.pid} on host .*, which answers on its control socket`),
  );
  assert.match(found.checks.port?.summary ?? '', /the service of this database answers at http:\/\/127\.0\.0\.1:\d+/);
  assert.match(found.checks.pragmas?.summary ?? '', /journal_mode=DELETE, synchronous=FULL, as the service has it/);
});

test('without a service the closed database is looked at, and nothing is written', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 5);
  const before = contentOf(directory);
  const found = await doctor(localEnvironment(directory));
  assert.deepEqual(notOk(found), []);
  assert.deepEqual(contentOf(directory), before);
  assert.match(found.checks.database?.summary ?? '', /telemetry\.sqlite, [\d.]+ KiB, version 9$/);
  assert.match(
    found.checks.pragmas?.details[1] ?? '',
    /^page_size=4096, auto_vacuum=INCREMENTAL, \d+ of \d+ pages are free$/,
  );
  assert.equal(found.checks.lock?.summary, 'free: no service runs');
  behindOurBack(path, (db) => db.pragma('journal_mode = WAL'));
  const inWal = contentOf(directory);
  const wal = await doctor(localEnvironment(directory));
  assert.match(wal.checks.database?.summary ?? '', /not opened, for it is in WAL mode/);
  assert.deepEqual(contentOf(directory), inWal);
});

test('people get a line a check, with its remedy below', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { ...localEnvironment(directory), TELEMETRY_API_HOST: '0.0.0.0' };
  const { code, stdout } = await cli(['doctor'], environment);
  assert.equal(code, 0);
  assert.match(stdout, /^ok +node +24\./);
  assert.match(stdout, /\nwarning +configuration +Reachable from outside .*\n +-> set TELEMETRY_API_AUTH_ENABLED=true/);
  assert.deepEqual(readdirSync(directory), []);
});

test('wrong settings are a problem, and the rest is looked at all the same', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const found = await doctor({ ...localEnvironment(directory), TELEMETRY_API_PORT: 'eighty', TELEMETRY_READERS: '99' });
  assert.deepEqual([found.code, found.ok, found.checks.configuration?.state], [3, false, 'problem']);
  const said = found.checks.configuration?.details.join('\n') ?? '';
  for (const name of ['TELEMETRY_API_PORT', 'TELEMETRY_READERS']) assert.match(said, new RegExp(name));
  assert.match(found.checks.database?.summary ?? '', new RegExp(`^${directory}/db/telemetry.sqlite, .*version 9`));
});

test('a lock without a control socket is named, and so is the name of a dead one', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const lock = new ProcessLock(path, undefined);
  t.after(() => lock.release());
  const held = await doctorApart(localEnvironment(directory));
  assert.equal(held.checks.lock?.state, 'warning');
  assert.match(held.checks.lock?.summary ?? '', new RegExp(`held by pid ${process.pid} .*no control socket`));
  writeFileSync(`${path}.lock.holder`, JSON.stringify({ pid: 999_999_999, host: hostname(), since: 'x' }));
  const dead = await doctorApart(localEnvironment(directory));
  assert.match(dead.checks.lock?.summary ?? '', /^held, but pid 999999999 .* is not alive/);
  lock.release();
  const free = await doctor(localEnvironment(directory));
  assert.equal(free.checks.lock?.state, 'ok');
});

test('what a crash left is a warning, and stays as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'telemetry.sqlite');
  madeWithHotJournal(path);
  const before = digestsOf(path);
  const { code, checks } = await doctor({ ...localEnvironment(directory), TELEMETRY_DB_PATH: path });
  assert.deepEqual([code, checks.leftovers?.state, checks.database?.state], [0, 'warning', 'ok']);
  assert.match(checks.leftovers?.summary ?? '', /telemetry\.sqlite-journal: .* the next start recovers it/);
  assert.deepEqual(digestsOf(path), before);
});

test('files that kills leave are named, each with what to do', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const backups = join(dirname(path), 'backups');
  mkdirSync(backups);
  const left = ['.migrating', '.verifying', '.restoring', '.replaced-20260110T120000Z'];
  for (const ending of left) writeFileSync(path + ending, 'x');
  writeFileSync(join(backups, 'telemetry-20260110T120000Z.sqlite.partial'), 'x');
  const { code, checks } = await doctor(localEnvironment(directory));
  assert.deepEqual([code, checks.leftovers?.state], [0, 'warning']);
  const said = [checks.leftovers?.summary, ...(checks.leftovers?.details ?? [])].join('\n');
  for (const ending of [...left, '.partial']) assert.ok(said.includes(ending), ending);
  assert.match(checks.leftovers?.remedy ?? '', /\.restoring: Run local-telemetry restore again/);
});

const DATABASES: [name: string, make: (path: string) => void, why: RegExp][] = [
  ['a text', (path) => writeFileSync(path, 'x'.repeat(5000)), /is not a SQLite database/],
  [
    'a foreign database',
    (path) => behindOurBack(path, (db) => db.exec('CREATE TABLE x (y)')),
    /a database of something else/,
  ],
  ['a newer one', (path) => older(path, 99), /of the newer version 99/],
  ['a folder', (path) => mkdirSync(path), /is not a file/],
  ['two names', (path) => (older(path, 8), linkSync(path, `${path}.copy`)), /has 2 names \(hard links\)/],
  ['half a restore', (path) => (older(path, 8), linkSync(path, `${path}.replaced-1`)), /a restore was interrupted/],
];

function older(path: string, version: number): void {
  behindOurBack(path, (db) =>
    db.exec(
      `CREATE TABLE agent_runs (x); CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES (${version})`,
    ),
  );
}

test('a database that no start would take is a problem with its remedy, an older one a warning', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [index, [name, make, why]] of DATABASES.entries()) {
    const path = join(directory, `${index}.sqlite`);
    make(path);
    const { state, summary, remedy } = await databaseCheck(directory, path);
    assert.equal(state, 'bad', name);
    assert.match(summary, why);
    assert.ok(remedy);
  }
  const old = join(directory, 'old.sqlite');
  older(old, 3);
  assert.equal((await databaseCheck(directory, old)).state, 'warning');
  const problem = await doctor({ ...localEnvironment(directory), TELEMETRY_DB_PATH: join(directory, '0.sqlite') });
  assert.deepEqual([problem.code, problem.checks.database?.state], [3, 'problem']);
});

async function databaseCheck(directory: string, path: string): Promise<Check> {
  await using seen = await look(testConfig(directory, { TELEMETRY_DB_PATH: path }), false);
  return checkDatabase(seen, false);
}

test('a run from the future, rejected lines and a file for everyone are warnings', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1, { created_at: new Date(Date.now() + 600_000).toISOString() });
  writeFileSync(join(spoolOf(directory), 'telemetry_a.jsonl.rejected'), '{"offset":0,"reason":"r","line":"x"}\n');
  chmodSync(directory, 0o755);
  chmodSync(path, 0o644);
  const { code, checks } = await doctor(localEnvironment(directory));
  assert.equal(code, 0);
  assert.match(checks.clock?.summary ?? '', /^the newest run was made at /);
  assert.match(checks.spool?.summary ?? '', /1 rejected; nothing waits; rejected: 1 line/);
  assert.match(checks.permissions?.summary ?? '', /telemetry\.sqlite may be read by every user/);
  for (const name of ['clock', 'spool', 'permissions']) assert.equal(checks[name]?.state, 'warning');
});

test('a database of another user is a warning', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  chownSync(path, 65_534, 65_534);
  const { checks } = await doctor(localEnvironment(directory));
  assert.match(checks.permissions?.summary ?? '', /belongs to uid 65534, not to root/);
});

test('another program, or the service of another database, at the port is a problem', async (t) => {
  const directory = temporaryDirectory(t);
  const other = await portOf(t, 'hello');
  const program = await doctorApart({ ...localEnvironment(directory), TELEMETRY_API_PORT: other });
  assert.deepEqual([program.code, program.checks.port?.state], [3, 'problem']);
  assert.match(program.checks.port?.summary ?? '', /another program answers at http:\/\/127\.0\.0\.1:/);
  const service = await startService(t);
  const { port } = new URL(service.url);
  const wrong = await doctorApart({ ...localEnvironment(directory), TELEMETRY_API_PORT: port });
  assert.match(wrong.checks.port?.summary ?? '', /has another database: .*telemetry\.sqlite$/);
  const apart = await doctorApart({ ...localEnvironment(service.directory), TELEMETRY_API_PORT: await freePort() });
  assert.deepEqual([apart.code, apart.checks.port?.state], [0, 'warning']);
});

async function portOf(t: TestContext, answer: string): Promise<string> {
  const server = createServer((_request, response) => response.end(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return String((server.address() as AddressInfo).port);
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

test('an old Node and little room are told', () => {
  assert.deepEqual([checkNode('22.11.0').state, checkNode('24.0.0').state], ['bad', 'ok']);
  const room = { folder: '/x', least: 2 ** 30, inodes: 10_000 };
  const stateOf = (free: number, inodes?: number): string =>
    spaceOf('spool', { ...room, free, ...(inodes !== undefined && { inodes }) }).state;
  assert.deepEqual(
    [stateOf(99 * 2 ** 20), stateOf(500 * 2 ** 20), stateOf(2 ** 31), stateOf(2 ** 31, 10)],
    ['bad', 'warning', 'ok', 'warning'],
  );
});
