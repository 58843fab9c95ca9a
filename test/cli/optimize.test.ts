import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { digestsOf } from '../support/files.ts';
import { create } from '../support/http.ts';
import { makeOlder } from '../support/older.ts';
import { localEnvironment, openToVerify, startService, temporaryDirectory } from '../support/service.ts';

test('optimize brings the statistics up to date, through the service and without one', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(directory) as Record<string, string>;
  const service = await startService(t, {}, directory);
  await create(service);
  const statistics = (): unknown =>
    openToVerify(t, service.path).prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").pluck().get();
  assert.equal(statistics(), undefined);
  const first = await cli(['optimize'], settings);
  assert.deepEqual([first.code, first.stdout], [0, 'The statistics are up to date.\n'], first.stderr);
  assert.equal(statistics(), 1);
  await service.close();
  assert.equal((await cli(['optimize'], settings)).code, 0);
});

test('optimize --reindex builds every index anew, and --json lists them', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startService(t, {}, directory);
  await create(service);
  const words = ['optimize', '--reindex', '--recount', '--json'];
  const { code, stdout, stderr } = await cliHere(words, localEnvironment(directory) as Record<string, string>);
  assert.equal(code, 0, stderr);
  const all = openToVerify(t, service.path)
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1")
    .pluck()
    .all();
  assert.deepEqual(JSON.parse(stdout), { optimized: true, reindexed: all, failed: [], recounted: true });
  assert.match(stderr, new RegExp(`Building index 1 of ${all.length}: `));
  await create(service);
});

test('optimize refuses a database that another process holds without a control socket', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(directory) as Record<string, string>;
  const service = await startService(t, {}, directory);
  const socketless = { ...settings, TELEMETRY_DB_PATH: service.path, TELEMETRY_LOCK_FILE: `${service.path}.lock2` };
  await service.close();
  const { ProcessLock } = await import('../../src/actors/writer/lock.ts');
  const lock = new ProcessLock(service.path, undefined);
  t.after(() => lock.release());
  const { code, stderr } = await cliHere(['optimize'], socketless);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`is in use by the process with pid ${process.pid}`));
});

test('optimize --recount waits until the runs are counted, also where no service runs', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startService(t, {}, directory);
  await create(service);
  await service.close();
  const drifted = new Database(service.path);
  drifted.exec('UPDATE rollup_runs SET runs = 7');
  drifted.close();
  const { code, stdout } = await cliHere(
    ['optimize', '--recount'],
    localEnvironment(directory) as Record<string, string>,
  );
  assert.deepEqual([code, stdout], [0, 'The statistics are up to date.\nAll runs were counted anew.\n']);
  const db = openToVerify(t, service.path);
  assert.equal(db.prepare('SELECT sum(runs) FROM rollup_runs').pluck().get(), 1);
  assert.equal(db.prepare('SELECT trusted FROM rollup_state').pluck().get(), 1);
});

test('a command that does something else does not migrate a database on the way', async (t) => {
  const directory = temporaryDirectory(t);
  const { path } = makeOlder(join(directory, 'older.sqlite'), 'v6');
  const before = digestsOf(path);
  for (const words of [['optimize'], ['retention', '--apply']]) {
    const { code, stderr } = await cliHere([...words, '--db', path]);
    assert.equal(code, 1);
    assert.match(stderr, /has schema version 6: it is of an earlier telemetry service\. Run local-telemetry migrate/);
  }
  assert.deepEqual(digestsOf(path), before);
});
