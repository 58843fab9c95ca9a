import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestsOf } from '../support/files.ts';
import { makeOlder, makeOlderInWal, type Older } from '../support/older.ts';
import { differences } from '../support/older-verdict.ts';
import { localEnvironment, runToEnd, startService, temporaryDirectory } from '../support/service.ts';
import { sessionIn } from '../support/session.ts';
import { databaseConfig } from '../support/database.ts';

/** A base directory with a database of version 6. */
function home(t: TestContext): { directory: string; older: Older } {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'db'));
  return { directory, older: makeOlder(join(directory, 'db', 'telemetry.sqlite'), 'v6') };
}

test('a service migrates a database of an earlier version at its start, says so, and serves it', async (t) => {
  const { directory, older } = home(t);
  const service = await startService(t, {}, directory);
  const line = await service.logged(/^Database migrated$/);
  const { level, from, to, rows, backup, left_behind, seconds } = line;
  assert.ok(Array.isArray(left_behind) && /^\d+(\.\d{1,3})?$/.test(String(seconds)));
  assert.deepEqual(
    Object.keys(line).filter((name) => !/^[a-z_]+$/.test(name)),
    [],
  );
  assert.deepEqual([level, from, to, rows], ['INFO', 6, 9, older.runs.length]);
  assert.ok(readdirSync(join(directory, 'db')).includes(String(backup).split('/').at(-1) ?? ''));
  const { body } = await service.request('GET', '/metrics');
  assert.equal((body as { total_runs: number }).total_runs, older.runs.length);
  const list = await service.request('GET', '/api/v1/runs?limit=1000');
  assert.equal((list.body as unknown[]).length, older.runs.length);
  await service.close();
  assert.deepEqual(differences(service.path, older.runs), []);
});

test('the next start finds nothing to migrate', async (t) => {
  const { directory } = home(t);
  await (await startService(t, {}, directory)).close();
  const files = readdirSync(join(directory, 'db'));
  const again = await startService(t, {}, directory);
  assert.ok(!again.logs.some(({ message }) => message.startsWith('Database migrated')));
  await again.close();
  assert.deepEqual(readdirSync(join(directory, 'db')), files);
});

test('a database with more runs than a start may migrate is refused, untouched, with the command to run', async (t) => {
  const { directory, older } = home(t);
  const before = digestsOf(older.path);
  const rows = older.runs.length;
  const environment = { ...localEnvironment(directory), TELEMETRY_AUTO_MIGRATE_MAX_ROWS: String(rows - 1) };
  const { code, stderr } = await runToEnd(environment);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`has ${rows} runs of schema version 6, more than TELEMETRY_AUTO_MIGRATE_MAX_ROWS`));
  assert.match(stderr, new RegExp(`local-telemetry migrate --db ${older.path}`));
  assert.deepEqual(digestsOf(older.path), before);
});

test('a start that ends in the midst of a migration leaves the older database, and the next one goes through', (t) => {
  const directory = temporaryDirectory(t);
  const { path } = databaseConfig(directory);
  const older = makeOlder(path, 'v7', 3_000);
  const before = digestsOf(path);
  const first = sessionIn(t, directory);
  let clock = 0;
  // Every slice is over after one step.
  const now = t.mock.method(performance, 'now', () => (clock += 60_000));
  for (let slice = 0; slice < 3; slice++) assert.equal(first.prepare()?.message, 'Migrating the database');
  now.mock.restore();
  first.close();
  assert.deepEqual(digestsOf(path), before);
  const second = sessionIn(t, directory);
  second.open();
  second.close();
  assert.deepEqual(differences(path, older.runs), []);
});

test('a database in WAL mode after a crash that is too large for a start keeps its WAL', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'db'));
  const older = makeOlderInWal(join(directory, 'db', 'telemetry.sqlite'));
  const before = digestsOf(older.path);
  const { code, stderr } = await runToEnd({ ...localEnvironment(directory), TELEMETRY_AUTO_MIGRATE_MAX_ROWS: '59' });
  assert.equal(code, 1);
  assert.match(stderr, /has 60 runs of schema version 3, more than/, 'those that are only in the WAL are counted');
  assert.deepEqual(digestsOf(older.path), before);
});
