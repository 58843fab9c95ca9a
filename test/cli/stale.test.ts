import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { BATCH, createAll, pathOf, type Run, serviceOfFile, shown } from '../support/http.ts';
import { aRun, localEnvironment, startService } from '../support/service.ts';
import { linesOf } from '../support/spool.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const service = serviceOfFile();
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
const stale = (...words: string[]): ReturnType<typeof cliHere> =>
  cliHere(['stale', ...words], localEnvironment(service().directory));

interface Listed {
  found: number;
  cancelled: number;
  failed: number;
  runs: Run[];
}

/** What --json prints: a run a line, then the trailer. */
function listedIn(stdout: string): Listed {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { record_type, ...figures } = lines.pop() ?? {};
  assert.equal(record_type, 'trailer');
  return { ...figures, runs: lines } as unknown as Listed;
}

test('running runs of more than a day are listed, of one agent or of all, and nothing is changed', async () => {
  const runs = [
    aRun({ agent_name: 'lister', event_id: 'old', created_at: hoursAgo(30) }),
    aRun({ agent_name: 'other', event_id: 'older', created_at: hoursAgo(50) }),
    aRun({ agent_name: 'lister', event_id: 'young', created_at: hoursAgo(2) }),
    aRun({ agent_name: 'lister', event_id: 'done', created_at: hoursAgo(30), status: 'success' }),
  ];
  await createAll(service(), runs);
  const { code, stdout, stderr } = await cli(['stale'], localEnvironment(service().directory));
  assert.deepEqual([code, stderr], [0, '']);
  const [figures_, head, ...lines] = stdout.trimEnd().split('\n');
  assert.equal(figures_, '2 stale runs; --cancel marks them as cancelled');
  assert.match(String(head), /^created_at +agent/);
  assert.deepEqual(
    lines.map((line) => /lister|other/.exec(line)?.[0]),
    ['lister', 'other'],
  );
  const { stdout: json } = await stale('--json', '--older-than', '90m', '--agent-name', 'lister');
  const { runs: listed, ...figures } = listedIn(json);
  assert.deepEqual(figures, { found: 2, cancelled: 0, failed: 0 });
  assert.deepEqual(listed, [await shown(service(), 'young'), await shown(service(), 'old')]);
  assert.equal((await shown(service(), 'old')).status, 'running');
});

test('--cancel marks them all, beyond a page, with the words of the client', async () => {
  const runs = Array.from({ length: 1_200 }, () => aRun({ agent_name: 'many', created_at: hoursAgo(30) }));
  await createAll(service(), runs);
  const { code, stdout } = await stale('--cancel', '--json', '--agent-name', 'many');
  const { runs: listed, ...figures } = listedIn(stdout);
  assert.equal(code, 0);
  assert.deepEqual(figures, { found: 1_200, cancelled: 1_200, failed: 0 });
  assert.deepEqual(new Set(listed.map(({ event_id }) => event_id)), new Set(runs.map(({ event_id }) => event_id)));
  const { status, error_summary, end_time } = await shown(service(), String(runs[0]?.event_id));
  assert.equal(status, 'cancelled');
  assert.match(String(error_summary), /^Stale run cleaned up \(created at /);
  assert.ok(String(end_time) > hoursAgo(1));
  const none = await stale('--cancel', '--json', '--agent-name', 'many');
  assert.deepEqual(listedIn(none.stdout), { runs: [], found: 0, cancelled: 0, failed: 0 });
});

test('all are counted; so many are shown as --limit says, a hundred without it, and with --json all', async () => {
  const runs = Array.from({ length: 130 }, (_, n) => aRun({ agent_name: 'counted', created_at: hoursAgo(200 - n) }));
  await createAll(service(), runs);
  const linesOf = async (...words: string[]): Promise<string[]> =>
    (await stale('--agent-name', 'counted', ...words)).stdout.trimEnd().split('\n');
  const lines = await linesOf();
  assert.equal(lines.length, 102);
  assert.match(String(lines[0]), /^130 stale runs; .*; the newest 100 are shown, --limit shows more$/);
  assert.ok(lines[2]?.includes(String(runs.at(-1)?.run_id)));
  assert.equal((await linesOf('--limit', '130'))[0], '130 stale runs; --cancel marks them as cancelled');
  assert.equal((await linesOf('--limit', '1')).length, 3);
  const parsed = async (...words: string[]): Promise<Listed> => listedIn((await linesOf(...words)).join('\n'));
  const [all, two] = [await parsed('--json'), await parsed('--json', '--limit', '2')];
  assert.deepEqual([all.runs.length, all.found, two.runs.length, two.found], [130, 130, 2, 130]);
  assert.deepEqual(two.runs, all.runs.slice(0, 2));
  const cancelled = await linesOf('--cancel', '--limit', '3');
  assert.deepEqual(
    [cancelled.length, cancelled[0]],
    [5, '130 stale runs, 130 cancelled, 0 failed; the newest 3 are shown, --limit shows more'],
  );
  assert.deepEqual((await linesOf())[0], '0 stale runs');
  for (const limit of ['0', 'x', '10001']) assert.equal((await stale('--limit', limit)).code, 2);
});

test('runs that were cancelled are shown as they are then, as a table and as JSON', async () => {
  await createAll(service(), [aRun({ agent_name: 'shown', event_id: 'shown-1', created_at: hoursAgo(30) })]);
  const { stdout } = await stale('--cancel', '--agent-name', 'shown');
  const [first, head, line] = stdout.split('\n').map((text) => text.split(/ {2,}/));
  assert.deepEqual(first, ['1 stale run, 1 cancelled, 0 failed']);
  const { status, end_time } = await shown(service(), 'shown-1');
  assert.equal(status, 'cancelled');
  assert.equal(line?.[head?.indexOf('status') ?? -1], 'cancelled');
  assert.equal(line?.[head?.indexOf('end_time') ?? -1], String(end_time).slice(0, 19).replace('T', ' '));
  await createAll(service(), [aRun({ agent_name: 'shown', event_id: 'shown-2', created_at: hoursAgo(30) })]);
  const { runs } = listedIn((await stale('--cancel', '--json', '--agent-name', 'shown')).stdout);
  assert.deepEqual(runs, [await shown(service(), 'shown-2')]);
  assert.equal(runs[0]?.status, 'cancelled');
});

test('a run that completes after all shows nothing of the clean-up, however its completion comes', async () => {
  const by = ['PATCH', 'merge', 'spool'].map((door) =>
    aRun({ agent_name: 'late', event_id: door, created_at: hoursAgo(30) }),
  );
  await createAll(service(), by);
  assert.match((await stale('--cancel', '--agent-name', 'late')).stdout, /^3 stale runs, 3 cancelled, 0 failed/);
  const completion = { status: 'success', output_summary: 'done' };
  const [, merged, spooled] = by.map((run) => ({ ...run, ...completion, updated_at: null }));
  await service().request('PATCH', pathOf('PATCH'), completion);
  await service().request('POST', `${BATCH}?on_duplicate=merge`, [merged]);
  writeFileSync(join(spoolOf(service().directory), 'telemetry_1.jsonl.ready'), linesOf(spooled as Run));
  await drained(service(), 1);
  for (const { event_id } of by) {
    const { status, end_time, duration_ms, error_summary, output_summary } = await shown(service(), event_id);
    assert.deepEqual(
      [status, end_time, duration_ms, error_summary, output_summary],
      ['success', null, 0, null, 'done'],
      event_id,
    );
  }
  // The other way round: the clean-up had listed them while they were running.
  const found = await Promise.all(by.map(({ event_id }) => shown(service(), event_id)));
  const late = found.map((run) => ({
    ...run,
    status: 'cancelled',
    end_time: hoursAgo(0),
    error_summary: 'Stale',
    updated_at: hoursAgo(0),
  }));
  await service().request('POST', `${BATCH}?on_duplicate=merge`, late);
  for (const { event_id } of by) {
    const { status, end_time, error_summary } = await shown(service(), event_id);
    assert.deepEqual([status, end_time, error_summary], ['success', null, null], event_id);
  }
});

test('it works on the closed database too', async (t) => {
  const { directory, close, request } = await startService(t);
  await request('POST', '/api/v1/runs', aRun({ created_at: hoursAgo(30) }));
  await close();
  const { code, stdout, stderr } = await cliHere(['stale', '--cancel'], localEnvironment(directory));
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^1 stale run, 1 cancelled, 0 failed\n.*\n.* cancelled /);
});

test('what cannot be understood or done is said', async (t) => {
  const time = await stale('--older-than', 'yesterday');
  assert.equal(time.code, 2);
  assert.match(time.stderr, /--older-than takes a whole number and one of s, m, h, d, w, such as 24h, not "yesterday"/);
  const fake = await fakeService(t);
  const run = aRun({ created_at: hoursAgo(30), status: 'running' });
  fake.script = ({ method }, count) =>
    method === 'GET' ? { status: 200, body: count === 1 ? [run] : [] } : { status: 500, body: { detail: 'broken' } };
  const failed = await cliHere(['stale', '--cancel', '--url', fake.url]);
  assert.equal(failed.code, 1);
  // What cannot be read again is shown as it was found.
  assert.ok(failed.stdout.includes(run.event_id) || failed.stdout.includes(String(run.run_id)));
  assert.match(failed.stdout, /^1 stale run, 0 cancelled, 1 failed\n/);
  assert.match(failed.stderr, /^1 runs? could not be cancelled: the service answered 500/);
  fake.script = () => ({ status: 401, body: { detail: 'no token' } });
  const refused = await cli(['stale', '--cancel', '--url', fake.url]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /The list of running runs could not be read: the service answered 401/);
});
