import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { assertError, BATCH, foreignConnection, pathOf, RUNS, rowOf, storedRuns, until } from '../support/http.ts';
import { aRun, type Environment, type Service, startService } from '../support/service.ts';

const LOCKED = 'The database is locked by another program. Send this again later.';

/** A service whose database another program holds until it is let go. */
async function locked(t: TestContext, how: string, environment: Environment): Promise<[Service, () => void]> {
  const service = await startService(t, environment);
  const foreign = foreignConnection(t, service.path);
  foreign.exec(how);
  return [service, () => void foreign.exec('ROLLBACK')];
}

test('a full mailbox answers 503 and when to come again; what was taken before is stored', async (t) => {
  const [service, letGo] = await locked(t, 'BEGIN IMMEDIATE', { TELEMETRY_MAILBOX_MAX_COMMANDS: '1' });
  const { writer } = service.platform;
  const runs = [aRun(), aRun()];
  const taken = [];
  for (const [index, run] of runs.entries()) {
    taken.push(writer.send('create', {}, Buffer.from(JSON.stringify(run))));
    // The first is on its way to the writer, which waits for the lock; the second fills the mailbox.
    if (index === 0) await until(() => writer.mailbox.depth === 0);
  }
  for (const [method, path, body] of [
    ['POST', RUNS, aRun()],
    ['POST', BATCH, [aRun()]],
    ['PATCH', pathOf(runs[0]?.event_id ?? ''), { status: 'success' }],
    ['POST', pathOf('x', '/associate-commit'), { commit_hash: 'abcdef1', commit_source: 'ci' }],
  ] as const) {
    const answer = await service.request(method, path, body);
    assertError(answer, 503, 'The service has more to write than it takes at once. Send this again.');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.equal((await service.request('GET', RUNS)).status, 200, 'reads go on');
  letGo();
  const results = await Promise.all(taken);
  assert.deepEqual(
    results.map(({ created }) => created),
    [true, true],
  );
  for (const { event_id } of runs) assert.ok(rowOf(t, service, event_id));
  assert.equal((await service.request('POST', RUNS, aRun())).status, 201);
  assert.equal(storedRuns(t, service), 3);
});

test('the mailbox has a bound in bytes too, and a body larger than it is taken where nothing waits', async (t) => {
  const environment = {
    TELEMETRY_MAILBOX_MAX_BYTES: String(1024 * 1024),
    TELEMETRY_MAX_BODY_BYTES: String(4 * 1024 * 1024),
  };
  const [service, letGo] = await locked(t, 'BEGIN IMMEDIATE', environment);
  const { writer } = service.platform;
  const large = JSON.stringify(aRun({ error_details: 'x'.repeat(2 * 1024 * 1024) }));
  const taken = [writer.send('create', {}, Buffer.from(JSON.stringify(aRun())))];
  await until(() => writer.mailbox.depth === 0);
  taken.push(writer.send('create', {}, Buffer.from(large)));
  assert.equal((await service.request('POST', RUNS, aRun())).status, 503);
  letGo();
  await Promise.all(taken);
  assert.equal((await service.request('POST', RUNS, JSON.stringify(aRun()))).status, 201);
  assert.equal(storedRuns(t, service), 3);
});

test('a full queue of readers answers 503 and when to come again', async (t) => {
  const environment = { TELEMETRY_READERS: '1', TELEMETRY_READER_MAX_QUEUE: '1' };
  const [service, letGo] = await locked(t, 'BEGIN EXCLUSIVE', environment);
  const { readers } = service.platform;
  const waiting = [];
  // One is being answered, which waits for the lock; the next waits in the queue.
  while (readers.queueSize === 0) waiting.push(readers.ask('metadata', {}));
  for (const path of [
    RUNS,
    pathOf('x'),
    pathOf('x', '/repo-url'),
    pathOf('x', '/commit-url'),
    '/metrics',
    '/api/v1/metadata',
  ]) {
    const answer = await service.request('GET', path);
    assertError(answer, 503, 'Too many queries are waiting. Send this again.');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.equal((await service.request('GET', '/health')).status, 200);
  letGo();
  await Promise.all(waiting);
  assert.equal((await service.request('GET', RUNS)).status, 200);
});

test('a database that another program keeps locked answers 503, and nothing is half stored', async (t) => {
  const [service, letGo] = await locked(t, 'BEGIN EXCLUSIVE', { TELEMETRY_DB_BUSY_TIMEOUT_MS: '50' });
  const runs = [aRun(), aRun()];
  for (const [method, path, body] of [
    ['POST', RUNS, runs[0]],
    ['POST', BATCH, runs],
    ['GET', RUNS, undefined],
    ['GET', pathOf('x'), undefined],
    ['GET', '/metrics', undefined],
  ] as const) {
    const answer = await service.request(method, path, body);
    assertError(answer, 503, LOCKED);
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  letGo();
  assert.equal(storedRuns(t, service), 0);
  const { body } = await service.request('POST', BATCH, runs);
  assert.deepEqual(body, { inserted: 2, duplicates: 0, errors: [], total: 2 });
});
