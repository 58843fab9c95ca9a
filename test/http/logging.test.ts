import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Call } from '../../src/http/call.ts';
import { logQuery } from '../../src/http/logging.ts';
import { create, foreignConnection, pathOf, RUNS, serviceOfFile } from '../support/http.ts';
import { aRun, type LogLine, Recorder, type Service, startService } from '../support/service.ts';

const shared = serviceOfFile();

/** The service of the file, all that it logged so far forgotten. */
function quietService(): Service {
  shared().logs.length = 0;
  return shared();
}

const linesOf = ({ logs }: Service, message: string): LogLine[] => logs.filter((line) => line.message === message);

/** The one line with this message, without its duration, which is asserted to be one. */
function theLine(service: Service, message: string): Record<string, unknown> {
  const lines = linesOf(service, message);
  assert.equal(lines.length, 1);
  const { duration_ms, ...line } = lines[0] as LogLine & { duration_ms: number };
  assert.ok(Number.isFinite(duration_ms) && duration_ms >= 0);
  return line;
}

test('a list is logged with what was asked and how much came', async () => {
  const service = quietService();
  await create(service, { status: 'failure' });
  await create(service);
  await service.request('GET', `${RUNS}?status=failed&limit=5`);
  assert.deepEqual(theLine(service, 'Query executed'), {
    level: 'INFO',
    message: 'Query executed',
    endpoint: RUNS,
    query_params: { status: 'failed', limit: '5' },
    result_count: 1,
    is_slow: false,
  });
});

test('a parameter that is repeated is logged with all its values', async () => {
  const service = quietService();
  await service.request('GET', `${RUNS}?status=failed&status=timeout`);
  const { query_params } = theLine(service, 'Query executed');
  const text = JSON.stringify(query_params);
  assert.ok(text.includes('failed') && text.includes('timeout'), text);
});

test('a single run is logged, found or not', async () => {
  const service = quietService();
  const { event_id } = await create(service);
  await service.request('GET', pathOf(event_id));
  await service.request('GET', pathOf('nobody'));
  const lines = linesOf(service, 'Query executed');
  assert.deepEqual(
    lines.map(({ endpoint, result_count }) => [endpoint, result_count]),
    [
      ['/api/v1/runs/{event_id}', 1],
      ['/api/v1/runs/{event_id}', 0],
    ],
  );
});

test('a query is slow when it took more than a second', () => {
  const recorder = new Recorder();
  for (const duration of [0, 1_000, 1_000.001, 5_000]) {
    const call = { endpoint: RUNS, query: new URLSearchParams(), elapsed: () => duration } as unknown as Call;
    logQuery(recorder.logger, call, 0);
  }
  assert.deepEqual(
    recorder.lines.map(({ is_slow, duration_ms }) => [duration_ms, is_slow]),
    [
      [0, false],
      [1_000, false],
      [1_000.001, true],
      [5_000, true],
    ],
  );
});

test('a patch is logged with the fields it changed', async () => {
  const service = quietService();
  const { event_id } = await create(service);
  await service.request('PATCH', pathOf(event_id), { status: 'failed', error_summary: 'x', product: 'ignored' });
  const { fields_updated, ...line } = theLine(service, 'Run updated');
  assert.deepEqual((fields_updated as string[]).toSorted(), ['error_summary', 'status']);
  const endpoint = '/api/v1/runs/{event_id}';
  assert.deepEqual(line, { level: 'INFO', message: 'Run updated', endpoint, event_id, success: true });
});

test('a patch that fails is logged as one', async () => {
  const service = quietService();
  const { event_id } = await create(service);
  for (const [id, body] of [
    ['nobody', { status: 'failed' }],
    [event_id, { status: 'done' }],
    [event_id, {}],
  ] as const) {
    service.logs.length = 0;
    await service.request('PATCH', pathOf(id), body);
    const { success, fields_updated, event_id: logged } = theLine(service, 'Run updated');
    assert.deepEqual([success, fields_updated, logged], [false, [], id]);
  }
});

test('a failure of ours is logged as an error with its endpoint, what a client did wrong is not', async (t) => {
  const service = await startService(t, { TELEMETRY_DB_BUSY_TIMEOUT_MS: '50' });
  for (const path of [pathOf('nobody'), '/nowhere', `${RUNS}?status=done`, `${RUNS}?limit=x`]) {
    await service.request('GET', path);
  }
  await service.request('POST', RUNS, '{');
  assert.deepEqual(
    service.logs.filter(({ level }) => level === 'ERROR'),
    [],
  );
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN EXCLUSIVE');
  await service.request('POST', RUNS, aRun());
  foreign.exec('ROLLBACK');
  const why = 'The database is locked by another program. Send this again later.';
  const line = linesOf(service, `Error in ${RUNS}: ${why}`)[0];
  assert.equal(line?.level, 'ERROR');
  assert.deepEqual([line.endpoint, line.error_type, line.error_message], [RUNS, 'TelemetryError', why]);
});

test('nothing of a body is in any log line', async (t: TestContext) => {
  const service = await startService(t, { TELEMETRY_LOG_LEVEL: 'DEBUG' });
  const SECRET = 'hunter2';
  const { event_id } = await create(service, { error_details: SECRET, metrics_json: { SECRET } });
  await service.request('POST', RUNS, aRun({ status: SECRET }));
  await service.request('POST', RUNS, `{"${SECRET}`);
  await service.request('POST', `${RUNS}/batch`, [{ event_id: SECRET }, SECRET]);
  await service.request('PATCH', pathOf(event_id), { error_details: SECRET, status: SECRET });
  await service.request('GET', pathOf(event_id));
  assert.ok(service.logs.length > 0);
  assert.equal(JSON.stringify(service.logs).includes(SECRET), false);
});
