import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { METRICS } from '../../../src/http/prometheus/metrics.ts';
import { type Family, parseExposition, type TextFormat } from '../../support/exposition.ts';
import { createAll, foreignConnection, pathOf, serviceOfFile } from '../../support/http.ts';
import { aRun, type Service, startService, temporaryDirectory } from '../../support/service.ts';

const NOTHING = new Uint8Array();
/** For what does not look at what others have sent. */
const shared = serviceOfFile();

async function scrape(service: Service, format: TextFormat = 'prometheus'): Promise<Map<string, Family>> {
  const answer = await fetch(`${service.url}/metrics?format=${format}`);
  assert.equal(answer.status, 200);
  return parseExposition(await answer.text(), format);
}

/** The values of a metric by their labels' values. */
const valuesOf = (families: Map<string, Family>, name: string): Record<string, number> =>
  Object.fromEntries(
    (families.get(name)?.samples ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
const valueOf = (families: Map<string, Family>, name: string): number | undefined => valuesOf(families, name)[''];

test('/metrics is JSON, and Prometheus gets its own form by asking for it', async () => {
  const service = shared();
  const typeFor = async (path: string, accept: string): Promise<string | null> => {
    const answer = await fetch(`${service.url}${path}`, { headers: { accept } });
    assert.equal(answer.headers.get('vary'), 'Accept');
    await answer.arrayBuffer();
    return answer.headers.get('content-type');
  };
  const open = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  assert.equal(await typeFor('/metrics', '*/*'), 'application/json');
  assert.equal(await typeFor('/metrics', 'text/plain'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(await typeFor('/metrics', open), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.equal(await typeFor('/metrics/prometheus', '*/*'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(
    await typeFor('/metrics/prometheus', open),
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  );
  const wrong = await service.request('GET', '/metrics?format=xml');
  assert.equal(wrong.status, 422);
  assert.match(JSON.stringify(wrong.body), /"query","format"/);
});

test('every metric is there with a value, in both formats', async () => {
  const service = shared();
  await createAll(service, [aRun()]);
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const families = await scrape(service, format);
    const names = METRICS.map(({ name }) => (format === 'prometheus' ? name : name.replace(/_(total|info)$/, '')));
    assert.deepEqual([...families.keys()], names);
    for (const [name, { samples }] of families) assert.ok(samples.length > 0, `${name} has no sample`);
  }
});

test('counters of runs outlive changes, retention and the service; the stored runs are what is there', async (t) => {
  const directory = temporaryDirectory(t);
  const environment = { TELEMETRY_BASE_DIR: directory };
  let service = await startService(t, environment);
  const old = { agent_name: 'a', job_type: 'j', created_at: '2020-01-01T00:00:00Z' };
  const runs = [
    aRun({ ...old, status: 'running' }),
    aRun({ ...old, status: 'failed' }),
    aRun({ ...old, status: 'success' }),
  ];
  await createAll(service, runs);
  await service.request('PATCH', pathOf(runs[0]?.event_id ?? ''), { status: 'success' });
  await service.request('PATCH', pathOf(runs[0]?.event_id ?? ''), { items_failed: 1 });
  const ever = { 'a j running': 1, 'a j failure': 1, 'a j success': 2 };
  let families = await scrape(service);
  assert.deepEqual(valuesOf(families, 'local_telemetry_runs_total'), ever);
  assert.deepEqual(valuesOf(families, 'local_telemetry_stored_runs'), { 'a j success': 2, 'a j failure': 1 });
  await service.platform.writer.send('delete', { before: '2021-01-01T00:00:00.000000+00:00', limit: 10 }, NOTHING);
  families = await scrape(service);
  assert.deepEqual(valuesOf(families, 'local_telemetry_runs_total'), ever);
  assert.deepEqual(valuesOf(families, 'local_telemetry_stored_runs'), {});
  await service.close();
  service = await startService(t, environment);
  assert.deepEqual(valuesOf(await scrape(service), 'local_telemetry_runs_total'), ever);
});

test('beyond the bound, combinations that come later are summed by their status', async (t) => {
  const service = await startService(t, { TELEMETRY_METRICS_MAX_SERIES: '2' });
  const names = ['first', 'second', 'third', 'third', 'third', 'fourth'];
  for (const agent_name of names) await createAll(service, [aRun({ agent_name, job_type: 'j' })]);
  const families = await scrape(service);
  const ever = { 'first j running': 1, 'second j running': 1, '(other) (other) running': 4 };
  assert.deepEqual(valuesOf(families, 'local_telemetry_runs_total'), ever);
  const most = { 'third j running': 3, 'first j running': 1, '(other) (other) running': 2 };
  assert.deepEqual(valuesOf(families, 'local_telemetry_stored_runs'), most);
  assert.equal(valueOf(families, 'local_telemetry_folded_series'), 2);
});

test('the figures of the service are what it did', async (t) => {
  const service = await startService(t, { TELEMETRY_READERS: '2' });
  await createAll(service, [aRun(), aRun()]);
  await service.request('POST', '/api/v1/runs', '{');
  await service.request('GET', '/nowhere');
  const families = await scrape(service);
  const answers = valuesOf(families, 'local_telemetry_http_requests_total');
  assert.deepEqual([answers['404'], answers['422']], [1, 1]);
  const countOf = (name: string): number =>
    families.get(name)?.samples.find((sample) => sample.name.endsWith('_count'))?.value ?? NaN;
  const sent = Object.values(answers).reduce((sum, count) => sum + count, 0);
  assert.equal(countOf('local_telemetry_http_request_duration_seconds'), sent);
  assert.equal(countOf('local_telemetry_mailbox_wait_seconds'), 2, 'a batch is one command');
  const sizes = families.get('local_telemetry_group_commands')?.samples;
  assert.equal(sizes?.find(({ name }) => name.endsWith('_sum'))?.value, 2);
  assert.equal(countOf('local_telemetry_commit_duration_seconds'), 1, 'a group that wrote nothing is no commit');
  assert.equal(valueOf(families, 'local_telemetry_writer_up'), 1);
  assert.equal(valueOf(families, 'local_telemetry_reader_threads'), 2);
  assert.equal(valueOf(families, 'local_telemetry_mailbox_limit_commands'), 20_000);
  assert.equal(valueOf(families, 'local_telemetry_database_bytes'), statSync(service.path).size);
});

test('while the database cannot be read, the rest is still told', async (t) => {
  const service = shared();
  await scrape(service);
  t.mock.method(service.platform.readers, 'ask', () => Promise.reject(new Error('no reader')));
  const families = await scrape(service);
  assert.equal(families.has('local_telemetry_runs_total'), false);
  assert.equal(valueOf(families, 'local_telemetry_database_readable'), 0);
  assert.equal(valueOf(families, 'local_telemetry_writer_up'), 1);
});

test('commits that fail are counted, and so are commands refused', async (t) => {
  const service = await startService(t, { TELEMETRY_MAILBOX_MAX_COMMANDS: '1', TELEMETRY_DB_BUSY_TIMEOUT_MS: '50' });
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN IMMEDIATE');
  const answers = await Promise.all([1, 2, 3, 4].map(() => service.request('POST', '/api/v1/runs', aRun())));
  foreign.exec('ROLLBACK');
  const refused = answers.filter(({ body }) => JSON.stringify(body).includes('more to write')).length;
  const families = await scrape(service);
  assert.equal(valueOf(families, 'local_telemetry_mailbox_refused_total'), refused);
  assert.ok((valueOf(families, 'local_telemetry_group_failures_total') ?? 0) >= 1);
  const ready = await service.request('GET', '/readyz');
  assert.equal(ready.status, 503);
  const { status, reasons } = ready.body as { status: string; reasons: string[] };
  assert.equal(status, 'not ready');
  assert.deepEqual(reasons, [
    'The last commit failed: The database is locked by another program. Send this again later.',
  ]);
  assert.equal((await service.request('POST', '/api/v1/runs', aRun())).status, 201);
  assert.deepEqual((await service.request('GET', '/readyz')).body, { status: 'ready' });
});
