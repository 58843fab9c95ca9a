import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { aRun, localEnvironment, runToEnd, temporaryDirectory } from '../support/service.ts';
import { BOUNDED, countRuns, startProcess } from './process.ts';

test('A second service on the same database exits 1 and names the pid and host of the first', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const first = await startProcess(t, directory);
  const { code, stderr } = await runToEnd(first.environment);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`in use by the process with pid ${first.pid} on host ${hostname()}`));
  assert.match(stderr, /TELEMETRY_DB_PATH/, 'it says what to do');
  assert.equal((await first.request('POST', '/api/v1/runs', aRun())).status, 201);
});

test('A symbolic link to the database is no way around the lock', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const first = await startProcess(t, directory);
  const link = join(directory, 'link.sqlite');
  symlinkSync(first.path, link);
  const { code, stderr } = await runToEnd({ ...first.environment, TELEMETRY_DB_PATH: link });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`pid ${first.pid} `));
});

test('A symbolic link to a database that is still to be made leads to one lock and one folder', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'data'));
  mkdirSync(join(directory, 'etc'));
  const link = join(directory, 'etc', 'telemetry.sqlite');
  symlinkSync(join('..', 'data', 'telemetry.sqlite'), link);
  const first = await startProcess(t, directory, { ...localEnvironment(directory), TELEMETRY_DB_PATH: link });
  assert.ok(readdirSync(join(directory, 'data')).includes('telemetry.sqlite.lock'));
  assert.deepEqual(readdirSync(join(directory, 'etc')), ['telemetry.sqlite'], 'nothing lies beside the link');
  const { code, stderr } = await runToEnd({ ...first.environment, TELEMETRY_DB_PATH: link });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`pid ${first.pid} `));
});

test('After kill -9 the next service just starts', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const first = await startProcess(t, directory);
  const run = aRun();
  await first.request('POST', '/api/v1/runs', run);
  first.child.kill('SIGKILL');
  await first.ended;
  const second = await startProcess(t, directory);
  assert.equal((await second.request('GET', `/api/v1/runs/${run.event_id}`)).status, 200);
  const { stderr } = await runToEnd(second.environment);
  assert.match(stderr, new RegExp(`pid ${second.pid} `), 'the holder is the living one');
});

test(
  "A predecessor's text lock file is set aside, beside the database and at TELEMETRY_LOCK_FILE",
  BOUNDED,
  async (t) => {
    const directory = temporaryDirectory(t);
    const TELEMETRY_LOCK_FILE = join(directory, 'telemetry_api.lock');
    const beside = join(directory, 'db', 'telemetry.sqlite.lock');
    mkdirSync(dirname(beside));
    for (const path of [TELEMETRY_LOCK_FILE, beside]) writeFileSync(path, '4711\n');
    const service = await startProcess(t, directory, { TELEMETRY_LOCK_FILE });
    for (const path of [TELEMETRY_LOCK_FILE, beside]) {
      const names = readdirSync(dirname(path)).map((name) => join(dirname(path), name));
      const aside = names.filter((name) => name.startsWith(`${path}.predecessor-`));
      assert.equal(aside.length, 1);
      assert.equal(readFileSync(String(aside[0]), 'utf8'), '4711\n');
    }
    assert.equal((await runToEnd(service.environment)).code, 1, 'and locked');
  },
);

test('TELEMETRY_LOCK_FILE is held beside the lock at the database', BOUNDED, async (t) => {
  const [one, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  const TELEMETRY_LOCK_FILE = join(one, 'elsewhere.lock');
  const first = await startProcess(t, one, { TELEMETRY_LOCK_FILE });
  const sameLock = await runToEnd({ ...localEnvironment(other), TELEMETRY_LOCK_FILE });
  assert.equal(sameLock.code, 1);
  assert.match(sameLock.stderr, new RegExp(`pid ${first.pid} on host ${hostname()}.*elsewhere\\.lock`));
  const sameDatabase = await runToEnd({ ...localEnvironment(one), TELEMETRY_LOCK_FILE: join(other, 'another.lock') });
  assert.equal(sameDatabase.code, 1);
  assert.match(sameDatabase.stderr, new RegExp(`pid ${first.pid} on host ${hostname()}`));
});

test('The lock goes with the service: after SIGTERM nothing names a holder', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startProcess(t, directory);
  await service.request('POST', '/api/v1/runs', aRun());
  service.child.kill('SIGTERM');
  assert.equal((await service.ended).code, 0);
  const left = readdirSync(dirname(service.path)).filter((name) => !name.endsWith('.lock'));
  assert.deepEqual(left, ['telemetry.sqlite'], 'neither a holder nor a journal');
  assert.equal(countRuns(service.path), 1);
});
