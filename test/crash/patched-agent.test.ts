import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { type RunMetrics, TelemetryClient, type Transport } from '../../src/client/index.ts';
import { temporaryDirectory } from '../support/service.ts';
import { age, drainAll } from './agent-cycle.ts';
import { BOUNDED, startProcess } from './process.ts';

/**
 * A run that the service knows is told `items_succeeded: 1`; while that is under way the agent
 * records `change`, and then it is answered.
 *
 * @param killed nothing more gets out after that: the service finds it in the spool
 * @returns items_succeeded as stored in the end
 */
async function afterChangeUnderWay(t: TestContext, change: RunMetrics, killed: boolean): Promise<unknown> {
  const directory = temporaryDirectory(t);
  const service = await startProcess(t, directory);
  const asked = Promise.withResolvers<void>();
  const recorded = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  let changes = 0;
  const request: Transport['request'] = async (method, path, body) => {
    changes += Number(body?.includes('"items_succeeded"') ?? false);
    if (changes === 1) {
      asked.resolve();
      await recorded.promise;
    } else if (changes > 1) {
      again.resolve();
      if (killed) return Promise.withResolvers<never>().promise;
    }
    return { ...(await service.request(method, path, body)), retryAfterMs: undefined };
  };
  const transport: Transport = { request, close: () => undefined };
  const telemetry = new TelemetryClient({ baseDir: directory, transport, git: false });
  const runId = telemetry.startRun('agent', 'job');
  assert.equal(await telemetry.flush(), true);
  telemetry.setMetrics(runId, { items_succeeded: 1 });
  await asked.promise;
  telemetry.setMetrics(runId, change);
  recorded.resolve();
  await again.promise;
  if (!killed) assert.equal(await telemetry.flush(), true);
  service.child.kill('SIGTERM');
  await service.ended;

  age(directory);
  await drainAll(directory);
  const db = new Database(service.path, { readonly: true });
  t.after(() => db.close());
  return db.prepare('SELECT items_succeeded FROM agent_runs').pluck().get();
}

test('what is set again while it is sent is not lost when the agent is killed then', BOUNDED, async (t) => {
  assert.equal(await afterChangeUnderWay(t, { items_succeeded: 2 }, true), 2);
});

test('what is set again while it is sent is not lost beside a field that PATCH cannot set', BOUNDED, async (t) => {
  assert.equal(await afterChangeUnderWay(t, { items_succeeded: 2, insight_id: 'new' }, false), 2);
});
