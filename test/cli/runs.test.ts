import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIST_PARAMETERS } from '../../src/http/filters.ts';
import { FILTERS, optionOf, queryOf } from '../../src/cli/filter.ts';
import { UsageError } from '../../src/cli/exit.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { pathOf, type Run, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { aRun, localEnvironment, startService, temporaryDirectory } from '../support/service.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 10, 12, 0, second)).toISOString();

const CLEAR_SCREEN = '\u001b[2J';
const STORED: Run[] = [
  aRun({
    event_id: 'first',
    agent_name: 'one',
    created_at: at(1),
    status: 'success',
    duration_ms: 200_000,
    items_succeeded: 3,
  }),
  aRun({ event_id: 'second', agent_name: 'two', created_at: at(2), job_type: 'other' }),
  aRun({
    event_id: 'third',
    agent_name: 'one',
    created_at: at(3),
    status: 'failure',
    items_failed: 2,
    duration_ms: 850,
    error_summary: `bad ${CLEAR_SCREEN}news\n日本語 \u009b31m\u202e`,
    error_details: 'first line\n  second line',
    metrics_json: { tokens: 1, big: 'x' },
  }),
];
const MANY = Array.from({ length: 1_100 }, (_, n) => aRun({ agent_name: 'many', created_at: at(-1 - n) }));

const service = serviceOfFile({}, [...STORED, ...MANY]);
const runs = (...words: string[]): ReturnType<typeof cliHere> =>
  cliHere(['runs', ...words], localEnvironment(service().directory));

test('the newest runs come first, a line each, with times in UTC and durations for people', async () => {
  const settings = localEnvironment(service().directory);
  const { code, stdout, stderr } = await cli(['runs', '--limit', '3'], settings);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const [head, ...lines] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(head, ['created_at', 'agent', 'job', 'status', 'duration', 'ok/failed', 'run_id', 'error']);
  const ids = STORED.map(({ run_id }) => run_id);
  assert.deepEqual(
    lines.map((cells) => cells.slice(0, 7)),
    [
      ['2026-01-10 12:00:03', 'one', 'check', 'failure', '850 ms', '0/2', ids[2]],
      // It runs still, and has no duration.
      ['2026-01-10 12:00:02', 'two', 'other', 'running', '0/0', ids[1]],
      ['2026-01-10 12:00:01', 'one', 'check', 'success', '3 m 20 s', '3/0', ids[0]],
    ],
  );
});

test('nothing in a record commands the terminal, as text and as JSON', async () => {
  for (const words of [['--agent-name', 'one'], ['third'], ['--json', '--agent-name', 'one'], ['third', '--json']]) {
    const { stdout } = await runs(...words);
    assert.match(stdout, /bad .*news/);
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, words.join(' '));
  }
});

test('--json gives each run as the API does, beyond a page', async () => {
  const { stdout } = await runs('--json', '--agent-name', 'many', '--limit', '1050');
  const listed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
  assert.equal(listed.length, 1_050);
  assert.equal(new Set(listed.map(({ event_id }) => event_id)).size, 1_050);
  const { body } = await service().request('GET', `${RUNS}?agent_name=many&limit=1000`);
  assert.deepEqual(listed.slice(0, 1_000), body);
});

test('--columns chooses fields; one that is none is named with the nearest', async () => {
  const { stdout } = await runs('--columns', 'event_id,metrics_json', '--status', 'failed');
  assert.deepEqual(stdout, 'event_id  metrics_json\nthird     {"tokens":1,"big":"x"}\n');
  const wrong = await runs('--columns', 'event_id,run_ids');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /A run has no field "run_ids"; did you mean run_id\?/);
});

test('an event_id shows that run in full, and an unknown one is said to be unknown', async () => {
  const { stdout } = await runs('third');
  const run = await shown(service(), 'third');
  for (const [name, value] of Object.entries(run)) {
    const line = new RegExp(`^${name} `, 'm');
    if (value === null) assert.doesNotMatch(stdout, line);
    else assert.match(stdout, line);
  }
  assert.match(stdout, /^error_details +first line\n {20}second line$/m);
  const unknown = await runs('nobody');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /has no run with the event_id or run_id nobody\. .* give it to --run-id-contains/);
  assert.equal((await runs('third', '--limit', '5')).code, 2);
});

test('a run_id shows its run as the event_id does, and where several runs have it lists them', async () => {
  const byRunId = await runs(String(STORED[2]?.run_id));
  assert.deepEqual(byRunId, await runs('third'));
  const json = [await runs(String(STORED[2]?.run_id), '--json'), await runs('third', '--json')];
  assert.deepEqual(JSON.parse(String(json[0]?.stdout)), JSON.parse(String(json[1]?.stdout)));
  // An event_id that is another run's run_id names the run of the event_id.
  await service().request(
    'POST',
    RUNS,
    aRun({ run_id: 'third', event_id: 'fourth', agent_name: 'three', created_at: at(4) }),
  );
  assert.deepEqual(await runs('third'), byRunId);
  for (const event_id of ['twin-1', 'twin-2'])
    await service().request('POST', RUNS, aRun({ run_id: 'twins', event_id, agent_name: 'three', created_at: at(5) }));
  const { code, stdout, stderr } = await runs('twins');
  assert.deepEqual([code, stderr], [0, '2 runs have the run_id twins. Give the event_id of one to see it in full.\n']);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  assert.equal(rows[0]?.[6], 'event_id');
  assert.deepEqual(
    rows
      .slice(1)
      .map((row) => row[5])
      .sort(),
    ['twin-1', 'twin-2'],
  );
  const both = (await runs('twins', '--json')).stdout.trimEnd().split('\n');
  assert.deepEqual(both.map((line) => (JSON.parse(line) as Run).event_id).sort(), ['twin-1', 'twin-2']);
});

test('a filter that is wrong is told in the words of the API before anybody is asked', async () => {
  const nowhere = ['--url', 'http://127.0.0.1:9'];
  for (const [parameter, value] of [
    ['status', 'success,bad'],
    ['created_before', '2026-13-01'],
    ['start_time_to', 'soon'],
  ] as const) {
    const last = String(value.split(',').at(-1));
    const { body } = await service().request('GET', `${RUNS}?${parameter}=${last}`);
    const { code, stdout, stderr } = await runs(`--${optionOf(parameter)}`, value, ...nowhere);
    assert.deepEqual([code, stdout], [2, '']);
    assert.ok(stderr.startsWith(`local-telemetry: ${(body as { detail: string }).detail}\n`), stderr);
  }
  const time = await runs('--created-after', '7days');
  assert.equal(time.code, 2);
  assert.match(time.stderr, /--created-after takes a whole number and one of s, m, h, d, w, such as 24h, not "7days"/);
  assert.equal((await runs('--limit', '0')).code, 2);
  const none = await runs('--created-after', '30m');
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No run matches.\n']);
});

test('without a service the database is read as it lies there; without a database it is said what to do', async (t) => {
  const { directory, close, request } = await startService(t);
  await request('POST', RUNS, aRun({ event_id: 'kept' }));
  const run = (await request('GET', pathOf('kept'))).body;
  await close();
  const { stdout, code } = await cliHere(['runs', '--json'], localEnvironment(directory));
  assert.deepEqual([JSON.parse(stdout), code], [run, 0]);
  const missing = await cli(['runs'], localEnvironment(temporaryDirectory(t)));
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /There is no database .*telemetry.sqlite, and no service that has it open\. Set TELEMETRY_DB_PATH or give --db/,
  );
});

test('a service elsewhere is asked by its address', async () => {
  const { stdout } = await cliHere([
    'runs',
    '--url',
    service().url,
    '--run-id',
    String(STORED[1]?.run_id),
    '--columns',
    'event_id',
  ]);
  assert.equal(stdout, 'event_id\nsecond\n');
});

test('every filter of the API is an option, and goes to it under its name', () => {
  const filters = LIST_PARAMETERS.filter((name) => !['limit', 'offset', 'cursor'].includes(name));
  assert.deepEqual(Object.keys(FILTERS).sort(), filters.map(optionOf).sort());
  const valueOf = (name: string): string =>
    name === 'status' ? 'failure' : /^(created|start_time)_/.test(name) ? '2026-01-10T12:00:00Z' : `some ${name}`;
  const query = queryOf(Object.fromEntries(filters.map((name) => [optionOf(name), valueOf(name)])));
  assert.deepEqual(Object.fromEntries(query), Object.fromEntries(filters.map((name) => [name, valueOf(name)])));
  assert.deepEqual(queryOf({ status: 'failed, timeout' }).getAll('status'), ['failed', 'timeout']);
});

test('a relative time is that long ago; other times go as they are', () => {
  const now = Date.UTC(2026, 0, 10, 12);
  const after = (time: string): string | null => queryOf({ 'created-after': time }, now).get('created_after');
  assert.equal(after('24h'), '2026-01-09T12:00:00.000000+00:00');
  assert.equal(after('30m'), '2026-01-10T11:30:00.000000+00:00');
  assert.equal(after('1w'), '2026-01-03T12:00:00.000000+00:00');
  for (const time of ['2026-01-10', '20260110T120000Z', '2026-01-10T12:00+01:00']) assert.equal(after(time), time);
  for (const time of ['24', 'h', '24H', '1.5h', '-3h', '999999999d', '24 h', '12y'])
    assert.throws(() => after(time), UsageError, time);
});
