import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Embedded, openEmbedded } from '../src/embedded.ts';
import { linesIn } from './support/client.ts';
import { openToVerify, runToEnd, spawnService, localEnvironment, temporaryDirectory } from './support/service.ts';

type Rows = Record<string, unknown>[];
const statusesIn = async (telemetry: Embedded): Promise<unknown[]> => {
  const { body } = await telemetry.request('GET', '/api/v1/runs');
  return (body as Rows).map(({ job_type, status }) => [job_type, status]);
};

test('what an agent records is in its own database, and the API answers without a port', async (t) => {
  const baseDir = temporaryDirectory(t);
  const telemetry = await openEmbedded({ baseDir, git: false });
  assert.equal(telemetry.problem, undefined);
  const run = telemetry.client.startRun('agent', 'first');
  telemetry.client.endRun(run, 'partial');
  await telemetry.client.trackRun('agent', 'second', (run) => run.setMetrics({ items_failed: 2 }));
  assert.equal(await telemetry.client.flush(), true);
  assert.deepEqual((await statusesIn(telemetry)).sort(), [
    ['first', 'partial'],
    ['second', 'success'],
  ]);
  assert.equal((await telemetry.client.getStats()).service?.total_runs, 2);
  await telemetry.close();
  const db = openToVerify(t, join(baseDir, 'db', 'telemetry.sqlite'));
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 2);
  assert.deepEqual(linesIn(join(baseDir, 'buffer')), []);
});

test('errors are those of the API: an unknown route, a wrong parameter, a run that is not there, a body that is wrong', async (t) => {
  await using telemetry = await openEmbedded({ baseDir: temporaryDirectory(t), git: false });
  const request: Embedded['request'] = (...asked) => telemetry.request(...asked);
  const answers = [
    await request('GET', '/nowhere'),
    await request('GET', '/api/v1/runs?limit=x'),
    await request('GET', '/api/v1/runs/caf%C3%A9'),
    await request('POST', '/api/v1/runs', { event_id: '' }),
    await request('POST', '/api/v1/runs', { event_id: 'x'.repeat(2_000_000) }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 422, 404, 422, 413],
  );
  assert.deepEqual(answers[2]?.body, { detail: 'Run not found: café' });
});

test('where a service has the database, the client goes on with the spool, and the service fetches it', async (t) => {
  const baseDir = temporaryDirectory(t);
  const service = await spawnService(localEnvironment(baseDir));
  t.after(() => service.child.kill('SIGKILL'));
  const warnings: string[] = [];
  const telemetry = await openEmbedded({ baseDir, git: false, onWarning: (warning) => warnings.push(warning) });
  assert.match(String(telemetry.problem?.message), new RegExp(`${service.child.pid}`));
  assert.equal(warnings.length, 1);
  telemetry.client.endRun(telemetry.client.startRun('agent', 'job', { event_id: 'spooled' }), 'timeout');
  assert.equal((await telemetry.request('GET', '/api/v1/runs')).status, 503);
  await telemetry.close();
  assert.equal(linesIn(join(baseDir, 'buffer')).length, 2);
  // A service looks before its port is open: the next one has it.
  service.child.kill('SIGTERM');
  await service.exited;
  const next = await spawnService(localEnvironment(baseDir));
  t.after(() => next.child.kill('SIGKILL'));
  const { body } = await next.request('GET', '/api/v1/runs/spooled');
  assert.equal((body as Record<string, unknown>).status, 'timeout');
});

test('an agent that does not close it is not held, and loses nothing', async (t) => {
  const baseDir = temporaryDirectory(t);
  const index = fileURLToPath(new URL('../src/embedded.ts', import.meta.url));
  const code = `import { openEmbedded } from ${JSON.stringify(index)};
    const { client } = await openEmbedded();
    for (let n = 0; n < 50; n++) client.endRun(client.startRun('agent', 'job'));`;
  const { code: exit, stderr } = await runToEnd({ TELEMETRY_BASE_DIR: baseDir }, ['-e', code], '--input-type=module');
  assert.deepEqual([exit, stderr], [0, '']);
  const db = openToVerify(t, join(baseDir, 'db', 'telemetry.sqlite'));
  assert.equal(db.prepare("SELECT count(*) FROM agent_runs WHERE status = 'success'").pluck().get(), 50);
});

test('a path of its own for the database is no odd option, and odd options reject nothing', async (t) => {
  const baseDir = temporaryDirectory(t);
  const warnings: string[] = [];
  const dbPath = join(baseDir, 'elsewhere.sqlite');
  const options = { baseDir, dbPath, git: false, onWarning: (warning: string) => void warnings.push(warning) };
  {
    await using telemetry = await openEmbedded(options);
    telemetry.client.startRun('agent', 'job');
    await telemetry.client.flush();
  }
  assert.deepEqual(warnings, []);
  const db = openToVerify(t, dbPath);
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 1);
  const throwing = (): never => {
    throw new Error('no');
  };
  // A directory in the database's place, told to a reporter that throws.
  await using odd = await openEmbedded({ baseDir, dbPath: baseDir, git: false, onWarning: throwing });
  assert.match(String(odd.problem?.message), /is not a file\. Set TELEMETRY_DB_PATH/);
});

test('another method of a route is 405, as it is over HTTP', async (t) => {
  await using telemetry = await openEmbedded({ baseDir: temporaryDirectory(t), git: false });
  assert.equal((await telemetry.request('PATCH', '/metrics')).status, 405);
});
