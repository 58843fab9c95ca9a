import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type ClientOptions } from '../../src/client/index.ts';
import { aClient, backupLines, type ClientBench, linesIn, runAgent, spoolNames } from '../support/client.ts';
import { serviceOfFile, shown } from '../support/http.ts';
import { openToVerify, temporaryDirectory } from '../support/service.ts';

// Its spool is another than the clients': what arrives has come over HTTP.
const service = serviceOfFile();

const liveClient = (t: TestContext, options: ClientOptions = {}): ClientBench =>
  aClient(t, { apiUrl: service().url, ...options });

function rowsOf(t: TestContext, agent: string): Record<string, unknown>[] {
  const db = openToVerify(t, service().path);
  const rows = db.prepare('SELECT * FROM agent_runs WHERE agent_name = ? ORDER BY id').all(agent);
  return rows as Record<string, unknown>[];
}

/** The rows are the last states of the records that the client wrote. */
function assertStored(rows: readonly Record<string, unknown>[], records: readonly Record<string, unknown>[]): void {
  const last = new Map(records.map((record) => [record.event_id, record]));
  assert.equal(rows.length, last.size);
  for (const row of rows) {
    const record = last.get(row.event_id);
    for (const name of ['run_id', 'status', 'items_discovered', 'output_summary', 'parent_run_id', 'git_commit_hash']) {
      assert.equal(row[name], record?.[name] ?? (name === 'items_discovered' ? 0 : null), name);
    }
  }
}

test('after a day of all sorts the service has the last state of each run, and the spool is empty', async (t) => {
  const { client, directory, spool, warnings } = liveClient(t);
  const agent = 'all-sorts';
  for (let n = 0; n < 30; n++) {
    const run = client.startRun(agent, 'plain', { items_discovered: n });
    client.logEvent(run, 'step', { n });
    if (n % 3 === 0) await client.flush();
    if (n % 2) client.setMetrics(run, { output_summary: `summary ${n}` });
    if (n % 5) client.endRun(run, n % 7 ? 'success' : 'partial');
    if (n % 11 === 0) await client.associateCommit(run, `abcdef${n}`, 'ci');
  }
  const nested = (depth: number): Promise<void> =>
    client.trackRun(agent, `depth ${depth}`, async (run) => {
      run.setMetrics({ items_discovered: depth });
      if (depth < 4) await Promise.all([nested(depth + 1), nested(depth + 1)]);
    });
  await nested(1);
  await assert.rejects(client.trackRun(agent, 'fails', () => Promise.reject(new Error('no'))));
  assert.equal(await client.flush(), true);
  assert.deepEqual(spoolNames(spool), []);
  const runs = backupLines(directory).filter(({ record_type }) => record_type === 'run');
  assertStored(rowsOf(t, agent), runs);
  assert.deepEqual(warnings, []);
});

for (const [from, to, result] of [
  ['failure', 'success', 'success'],
  ['cancelled', 'success', 'success'],
  // It came too late: wherever records are merged, completed stays completed.
  ['success', 'cancelled', 'success'],
] as const) {
  test(`a run that was ended as ${from} and delivered is ${result} once it is corrected to ${to}`, async (t) => {
    const { client } = liveClient(t);
    const event_id = `${from}-${to}`;
    const run = client.startRun('corrected', 'job', { event_id });
    client.endRun(run, from, { items_failed: 1 });
    await client.flush();
    client.endRun(run, to, { items_failed: 2 });
    assert.equal(await client.flush(), true);
    const { status, items_failed } = await shown(service(), event_id);
    assert.deepEqual([status, items_failed], [result, 2]);
  });
}

test('an agent that ends by itself without close has all delivered and its spool empty', async (t) => {
  const directory = temporaryDirectory(t);
  const { code, stderr } = await runAgent(
    `const client = new TelemetryClient({ git: false });
    const first = client.startRun('leaver', 'first');
    const second = client.startRun('leaver', 'second');
    await client.flush();
    client.endRun(first, 'partial');
    client.startRun('leaver', 'third');`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service().url },
  );
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(
    rowsOf(t, 'leaver').map(({ job_type, status }) => [job_type, status]),
    [
      ['first', 'partial'],
      ['second', 'running'],
      ['third', 'running'],
    ],
  );
  assert.deepEqual(spoolNames(join(directory, 'buffer')), []);
});

test('the spool of a dead process is sent and removed; a fresh file is left to its owner', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = join(directory, 'buffer');
  mkdirSync(spool);
  const record = (job: string, status = 'running'): string =>
    JSON.stringify({
      ...{ event_id: `left-${job}`, run_id: job, agent_name: 'dead', job_type: job, status },
      ...{ start_time: '2026-01-10T12:00:00Z', updated_at: `2026-01-10T12:00:0${status.length}Z` },
    });
  const write = (name: string, content: string, minutes: number): void => {
    const path = join(spool, name);
    writeFileSync(path, content);
    const then = Date.now() / 1_000 - minutes * 60;
    utimesSync(path, then, then);
  };
  const stem = (digit: string): string => `telemetry_20260110T120000_${digit.repeat(16)}.jsonl`;
  const two = `${record('one')}\n${record('one', 'partial')}\n${record('two')}\n`;
  write(`${stem('a')}.live`, `${two}{"event_id": 5}\n[1]\nnot JSON\n${record('torn').slice(0, 80)}`, 10);
  write(
    `${stem('b')}.sealed`,
    `${record('three')}\n{"event_id":"left-three-bad"}\n{"event_id":"${'x'.repeat(250)}"}\n`,
    10,
  );
  write(`${stem('c')}.live`, `${record('fresh')}\n`, 0);
  write('telemetry_20260110_120000.jsonl.active', `${record('older')}\n`, 10);
  const { client } = liveClient(t, { baseDir: directory });
  client.startRun('living', 'job');
  assert.equal(await client.flush(), true);
  await gone(client, spool, [`${stem('a')}.live`, `${stem('a')}.sealed`, `${stem('b')}.sealed`]);
  assert.deepEqual(
    rowsOf(t, 'dead').map(({ job_type, status }) => [job_type, status]),
    [
      ['one', 'partial'],
      ['two', 'running'],
      ['three', 'running'],
    ],
  );
  assert.deepEqual(spoolNames(spool), [
    `${stem('a')}.rejected`,
    `${stem('b')}.rejected`,
    `${stem('c')}.live`,
    'telemetry_20260110_120000.jsonl.active',
  ]);
  const reasons = linesIn(spool, /\.rejected$/).map(({ reason }) => String(reason));
  assert.equal(reasons.length, 6);
  assert.deepEqual(reasons.slice(0, 4), Array(4).fill('not a record of a run'));
  for (const reason of reasons.slice(4)) assert.match(reason, /run_id: Field required/);
  const lines = linesIn(spool, /\.rejected$/).map(({ line }) => line);
  assert.equal(lines.includes(record('three')), false, 'a stored run is taken for rejected');
});

/** Looks again, a request at a time, until the names are gone from the spool. */
async function gone(client: ClientBench['client'], spool: string, names: readonly string[]): Promise<void> {
  for (let look = 0; look < 500 && names.some((name) => spoolNames(spool).includes(name)); look++) {
    await client.getStats();
  }
  assert.deepEqual(
    names.filter((name) => spoolNames(spool).includes(name)),
    [],
  );
}
