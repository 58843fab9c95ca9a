import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { create } from '../support/http.ts';
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
  const { code, stdout, stderr } = await cli(words, localEnvironment(directory) as Record<string, string>);
  assert.equal(code, 0, stderr);
  const all = openToVerify(t, service.path)
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1")
    .pluck()
    .all();
  assert.deepEqual(JSON.parse(stdout), { optimized: true, reindexed: all, recounting: true });
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
  const { code, stderr } = await cli(['optimize'], socketless);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`is in use by the process with pid ${process.pid}`));
});
