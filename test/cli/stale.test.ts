import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { createAll, type Run, serviceOfFile, shown } from '../support/http.ts';
import { aRun, localEnvironment, startService } from '../support/service.ts';

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

test('running runs of more than a day are listed, of one agent or of all, and nothing is changed', async () => {
  const runs = [
    aRun({ agent_name: 'lister', event_id: 'old', created_at: hoursAgo(30) }),
    aRun({ agent_name: 'other', event_id: 'older', created_at: hoursAgo(50) }),
    aRun({ agent_name: 'lister', event_id: 'young', created_at: hoursAgo(2) }),
    aRun({ agent_name: 'lister', event_id: 'done', created_at: hoursAgo(30), status: 'success' }),
  ];
  await createAll(service(), runs);
  const { code, stdout, stderr } = await cli(['stale'], localEnvironment(service().directory));
  assert.deepEqual([code, stderr], [0, '2 stale runs; --cancel marks them as cancelled\n']);
  assert.deepEqual(stdout.match(/^\d.*(lister|other)/gm)?.length, 2);
  const { stdout: json } = await stale('--json', '--older-than', '90m', '--agent-name', 'lister');
  const { runs: listed, ...figures } = JSON.parse(json) as Listed;
  assert.deepEqual(figures, { found: 2, cancelled: 0, failed: 0 });
  assert.deepEqual(listed, [await shown(service(), 'young'), await shown(service(), 'old')]);
  assert.equal((await shown(service(), 'old')).status, 'running');
});

test('--cancel marks them all, beyond a page, with the words of the client', async () => {
  const runs = Array.from({ length: 1_200 }, () => aRun({ agent_name: 'many', created_at: hoursAgo(30) }));
  await createAll(service(), runs);
  const { code, stdout } = await stale('--cancel', '--json', '--agent-name', 'many');
  const { runs: listed, ...figures } = JSON.parse(stdout) as Listed;
  assert.equal(code, 0);
  assert.deepEqual(figures, { found: 1_200, cancelled: 1_200, failed: 0 });
  assert.deepEqual(new Set(listed.map(({ event_id }) => event_id)), new Set(runs.map(({ event_id }) => event_id)));
  const { status, error_summary, end_time } = await shown(service(), String(runs[0]?.event_id));
  assert.equal(status, 'cancelled');
  assert.match(String(error_summary), /^Stale run cleaned up \(created at /);
  assert.ok(String(end_time) > hoursAgo(1));
  const none = await stale('--cancel', '--json', '--agent-name', 'many');
  assert.deepEqual(JSON.parse(none.stdout), { runs: [], found: 0, cancelled: 0, failed: 0 });
});

test('it works on the closed database too', async (t) => {
  const { directory, close, request } = await startService(t);
  await request('POST', '/api/v1/runs', aRun({ created_at: hoursAgo(30) }));
  await close();
  const { code, stderr } = await cliHere(['stale', '--cancel'], localEnvironment(directory));
  assert.deepEqual([code, stderr], [0, '1 stale run, 1 cancelled, 0 failed\n']);
});

test('what cannot be understood or done is said', async (t) => {
  const time = await stale('--older-than', 'yesterday');
  assert.equal(time.code, 2);
  assert.match(time.stderr, /--older-than takes a whole number and one of s, m, h, d, w, such as 24h, not "yesterday"/);
  const fake = await fakeService(t);
  const run = aRun({ created_at: hoursAgo(30) });
  fake.script = ({ method }, count) =>
    method === 'GET' ? { status: 200, body: count === 1 ? [run] : [] } : { status: 500, body: { detail: 'broken' } };
  const failed = await cliHere(['stale', '--cancel', '--url', fake.url]);
  assert.equal(failed.code, 1);
  assert.match(
    failed.stderr,
    /1 stale run, 0 cancelled, 1 failed\n1 runs? could not be cancelled: the service answered 500/,
  );
  fake.script = () => ({ status: 401, body: { detail: 'no token' } });
  const refused = await cli(['stale', '--cancel', '--url', fake.url]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /The list of running runs could not be read: the service answered 401/);
});
