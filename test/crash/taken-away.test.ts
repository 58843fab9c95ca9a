import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { aRun, runToEnd, temporaryDirectory } from '../support/service.ts';
import { BOUNDED, countRuns, type Running, startProcess } from './process.ts';

/** @returns everything it said before it ended */
async function refusesTheNextWrite(service: Running): Promise<string> {
  const answer = await service.request('POST', '/api/v1/runs', aRun());
  assert.equal(answer.status, 503);
  const { code, stdout } = await service.ended;
  assert.equal(code, 1);
  return stdout;
}

test('A service whose lock file is deleted refuses the next write and exits 1', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  await service.request('POST', '/api/v1/runs', aRun());
  rmSync(`${service.path}.lock`);
  assert.match(await refusesTheNextWrite(service), /The lock file .* was removed or replaced/);
  assert.equal(countRuns(service.path), 1);
});

test('A service whose lock file was deleted leaves the holder of the new one named', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const first = await startProcess(t, directory);
  rmSync(`${first.path}.lock`);
  const second = await startProcess(t, directory);
  await refusesTheNextWrite(first);
  assert.equal((await second.request('POST', '/api/v1/runs', aRun())).status, 201);
  const { code, stderr } = await runToEnd(second.environment);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`pid ${second.pid} `));
});

test('A service whose database is removed refuses the next write and exits 1', BOUNDED, async (t) => {
  const service = await startProcess(t, temporaryDirectory(t));
  renameSync(service.path, `${service.path}.moved`);
  assert.match(await refusesTheNextWrite(service), /The database .* was removed or replaced/);
  assert.equal(countRuns(service.path), 0, 'it made no new one');
  assert.equal(countRuns(`${service.path}.moved`), 0);
});

test(
  'A service whose database is replaced refuses the next write and leaves the new file alone',
  BOUNDED,
  async (t) => {
    const service = await startProcess(t, temporaryDirectory(t));
    renameSync(service.path, `${service.path}.moved`);
    writeFileSync(service.path, 'restored from somewhere');
    assert.match(await refusesTheNextWrite(service), /The database .* was removed or replaced/);
    assert.equal(readFileSync(service.path, 'utf8'), 'restored from somewhere');
  },
);
