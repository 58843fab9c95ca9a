import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { nextOf } from '../../src/cli/answer.ts';
import { run } from '../../src/cli/index.ts';
import { pagesOf } from '../../src/cli/runs/pages.ts';
import type { Target } from '../../src/cli/answer.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { cli, startCli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { BATCH, foreignConnection, type Run, RUNS, serviceOfFile } from '../support/http.ts';
import { aRun, localEnvironment, startService, temporaryDirectory } from '../support/service.ts';

const STORED: Run[] = Array.from({ length: 2_300 }, (_, n) =>
  aRun({
    event_id: `run-${n}`,
    // Many share a time.
    created_at: new Date(Date.UTC(2026, 0, 10) + Math.floor(n / 7) * 1_000).toISOString(),
    agent_name: `agent-${n % 10}`,
    output_summary: 'x'.repeat(n % 300),
  }),
);

const service = serviceOfFile({}, STORED);
const exported = (...words: string[]): ReturnType<typeof cliHere> =>
  cliHere(['export', ...words], localEnvironment(service().directory));

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

test('all runs come once, newest first, page after page, and a trailer that counts and seals them', async () => {
  const { stdout, stderr, code } = await cli(['export'], localEnvironment(service().directory));
  assert.equal(code, 0);
  assert.match(stderr, /^2,300 runs exported in /m);
  const lines = stdout.split('\n');
  assert.equal(lines.pop(), '');
  const trailer = JSON.parse(String(lines.pop())) as Record<string, unknown>;
  const text = `${lines.join('\n')}\n`;
  assert.deepEqual(trailer, { record_type: 'trailer', rows: 2_300, sha256: sha256(text) });
  const runs = lines.map((line) => JSON.parse(line) as { id: number; created_at: string });
  assert.equal(new Set(runs.map(({ id }) => id)).size, 2_300);
  const inOrder = runs.toSorted((a, b) =>
    a.created_at === b.created_at ? a.id - b.id : a.created_at < b.created_at ? 1 : -1,
  );
  assert.deepEqual(runs, inOrder);
  const { body } = await service().request('GET', `${RUNS}?limit=1000`);
  assert.deepEqual(runs.slice(0, 1_000), body);
});

test('filters choose the runs, and the trailer may be left out', async () => {
  const { stdout } = await exported(
    '--agent-name',
    'agent-3',
    '--created-before',
    '2026-01-10T00:01:00Z',
    '--no-trailer',
  );
  const { body } = await service().request('GET', `${RUNS}?agent_name=agent-3&created_before=2026-01-10T00:01:00Z`);
  const runs = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  assert.ok(runs.length > 30);
  assert.deepEqual(runs, body);
});

test('a file is whole or not there, and takes the place of another only by force', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'runs.ndjson');
  assert.deepEqual((await exported('--output', path, '--agent-name', 'agent-1')).stdout, '');
  const text = readFileSync(path, 'utf8');
  assert.match(text, /"rows":230,/);
  const again = await exported('--output', path);
  assert.equal(again.code, 1);
  assert.match(
    again.stderr,
    /runs\.ndjson is there already and was left as it is\. Name another file in --output, or add --force/,
  );
  assert.equal(readFileSync(path, 'utf8'), text);
  assert.equal((await exported('--output', path, '--force', '--agent-name', 'nobody')).code, 0);
  assert.equal(readFileSync(path, 'utf8'), `{"record_type":"trailer","rows":0,"sha256":"${sha256('')}"}\n`);
  assert.deepEqual(readdirSync(directory), ['runs.ndjson']);
});

test('no force replaces the database, and a folder that is not there is said to be missing', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(service().directory);
  const itself = await cliHere(['export', '--output', service().path, '--force'], settings);
  assert.match(itself.stderr, /is the database itself\. Name another file in --output/);
  assert.equal(itself.code, 1);
  const missing = await cliHere(['export', '--output', join(directory, 'no', 'runs.ndjson')], settings);
  assert.match(
    missing.stderr,
    /no\/runs\.ndjson cannot be written: ENOENT.*\. Free space, or name another place in --output/,
  );
  assert.equal(missing.code, 1);
});

test('compressed, it is the same text', async (t) => {
  const path = join(temporaryDirectory(t), 'runs.ndjson.gz');
  await exported('--output', path, '--gzip', '--agent-name', 'agent-2');
  const { stdout } = await exported('--agent-name', 'agent-2');
  assert.equal(gunzipSync(readFileSync(path)).toString(), stdout);
});

test('compressed data goes to no terminal, and to whatever else stdout is', async () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const stderr = new PassThrough();
  const environment = localEnvironment(service().directory);
  const code = await run(['export', '--gzip'], new Terminal({ environment, stdout, stderr }));
  assert.deepEqual([code, stdout.read()], [2, null]);
  assert.match(
    String(stderr.read()),
    /Compressed data is nothing for a terminal: name a file in --output, or write it into a pipe/,
  );
  const piped = new PassThrough();
  assert.equal(
    await run(['export', '--gzip', '--agent-name', 'nobody'], new Terminal({ environment, stdout: piped, stderr })),
    0,
  );
  assert.match(gunzipSync(piped.read() as Buffer).toString(), /^\{"record_type":"trailer","rows":0,/);
});

test('CSV has a column for each field, and ends with the last run, or with --trailer with a trailer', async () => {
  const { stdout: plain } = await exported('--format', 'csv', '--agent-name', 'agent-4');
  assert.equal(plain.split('\r\n').length, 232);
  assert.doesNotMatch(plain, /sha256/);
  const { stdout } = await exported('--format', 'csv', '--trailer', '--agent-name', 'agent-4');
  assert.ok(stdout.startsWith(plain));
  const lines = stdout.split('\r\n');
  assert.equal(lines.pop(), '');
  assert.match(String(lines[0]), /^id,event_id,run_id,.*,parent_run_id,commit_url,repo_url$/);
  const trailer = lines.pop();
  assert.equal(lines.length, 231);
  assert.equal(trailer, `# rows=230 sha256=${sha256(`${lines.join('\r\n')}\r\n`)}`);
});

const page = (runs: readonly object[], next?: string): object => ({
  status: 200,
  body: runs,
  headers: next === undefined ? {} : { Link: `<${next}>; rel="next"` },
});

test('where a page fails midway nothing is left but the reason', async (t) => {
  const fake = await fakeService(t);
  fake.script = (_received, count) =>
    count === 1 ? (page([{ event_id: 'a' }], '/api/v1/runs?cursor=x') as never) : 'cut';
  const path = join(temporaryDirectory(t), 'runs.ndjson');
  const toFile = await cliHere(['export', '--url', fake.url, '--output', path]);
  assert.equal(toFile.code, 1);
  assert.match(toFile.stderr, /The service at http.* does not answer: socket hang up/);
  assert.deepEqual(readdirSync(dirname(path)), []);
  fake.script = ({ path: asked }) =>
    asked.includes('cursor')
      ? { status: 500, body: { detail: 'broken' } }
      : (page([{ event_id: 'a' }], '/api/v1/runs?cursor=x') as never);
  const toStdout = await cliHere(['export', '--url', fake.url]);
  assert.deepEqual([toStdout.code, toStdout.stdout.includes('trailer')], [1, false]);
  assert.match(toStdout.stderr, /answered 500: broken/);
});

test('a service that is busy is asked again, and what is no telemetry service is said to be none', async (t) => {
  const fake = await fakeService(t);
  fake.script = (_received, count) =>
    count === 1 ? { status: 503, body: { detail: 'busy' } } : (page([{ event_id: 'a' }]) as never);
  const { code, stdout } = await cliHere(['export', '--url', fake.url, '--no-trailer']);
  assert.deepEqual([code, stdout], [0, '{"event_id":"a"}\n']);
  fake.script = () => ({ status: 200, body: '<html>' });
  const page_ = await cliHere(['export', '--url', fake.url]);
  assert.equal(page_.code, 1);
  assert.match(page_.stderr, /does not answer as a telemetry service does\. Is the address right\?/);
});

test('runs that come and go meanwhile: every run that stays comes once', async (t) => {
  const { request, path } = await startService(t);
  const created_at = '2026-01-10T12:00:00Z';
  await request(
    'POST',
    BATCH,
    Array.from({ length: 1_500 }, (_, n) => aRun({ event_id: `stays-${n}`, created_at })),
  );
  const target: Target = {
    where: 'The service',
    live: true,
    request: async (method, asked) => {
      const { status, headers, body } = await request(method, asked);
      const next = nextOf(headers.get('link') ?? undefined);
      return { status, next, retryAfterMs: undefined, body: Buffer.from(JSON.stringify(body)) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const ids: unknown[] = [];
  for await (const items of pagesOf(target, new URLSearchParams())) {
    for (const item of items) ids.push((JSON.parse(Buffer.from(item).toString()) as Run).event_id);
    await request(
      'POST',
      BATCH,
      Array.from({ length: 50 }, () => aRun({ created_at: '2026-01-11' })),
    );
    foreignConnection(t, path).exec("DELETE FROM agent_runs WHERE event_id IN ('stays-3', 'stays-1400')");
  }
  const all = Array.from({ length: 1_500 }, (_, n) => `stays-${n}`);
  assert.deepEqual(
    ids,
    all.filter((id) => id !== 'stays-1400'),
  );
});

test('a reader that has read enough ends it quietly', async () => {
  const child = startCli(['export'], localEnvironment(service().directory));
  const exit = once(child, 'close');
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.stdout?.destroy();
  assert.deepEqual([(await exit)[0], stderr], [0, '']);
});
