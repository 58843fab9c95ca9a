import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { localEnvironment, spawnService, temporaryDirectory } from '../support/service.ts';
import { kill, killWhileStarting, loadUntil, makePosters } from './cycle.ts';
import { Ledger } from './ledger.ts';
import { judge } from './oracle.ts';

for (const journal of ['DELETE', 'WAL']) {
  test(`Nothing acknowledged is lost when the service is killed under load, again and again (${journal})`, async (t) => {
    const directory = temporaryDirectory(t);
    const environment = { ...localEnvironment(directory), TELEMETRY_DB_JOURNAL_MODE: journal };
    const path = join(directory, 'db', 'telemetry.sqlite');
    const ledger = new Ledger();
    const posters = makePosters(6, 20_260_110, ledger);
    let service = await spawnService(environment);
    t.after(() => kill(service));
    for (const acknowledgements of [1, 100, 250]) {
      const { child, exited } = service;
      await loadUntil(service, posters, { acknowledgements, delayMs: 0 }, () => child.kill('SIGKILL'));
      assert.deepEqual(await exited, [null, 'SIGKILL']);
      service = await spawnService(environment);
      const { lost, wrong, runs } = judge(path, ledger);
      assert.deepEqual({ lost, wrong }, { lost: [], wrong: [] });
      assert.equal(runs, ledger.runs.size);
    }
    assert.ok(ledger.acknowledged >= 351, 'the load has been acknowledged');
  });
}

test('A service that is killed while it creates its database starts the next time', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = localEnvironment(directory);
  for (const afterMs of [150, 250, 350]) await killWhileStarting(environment, afterMs);
  const service = await spawnService(environment);
  t.after(() => kill(service));
  const { status } = await service.request('GET', '/api/v1/runs');
  assert.equal(status, 200);
});
