import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { cli, startCli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { BATCH, type Run, RUNS, serviceOfFile, shown } from '../support/http.ts';
import { recordOf } from '../support/records.ts';
import { aRun, localEnvironment, type Service, startService, temporaryDirectory } from '../support/service.ts';

const service = serviceOfFile();
const settings = (of: Service = service()): Record<string, string> => localEnvironment(of.directory);
const line = (fields: object): string => `${JSON.stringify(fields)}\n`;

function written(t: TestContext, content: string | Uint8Array, name = 'runs.ndjson'): string {
  const path = join(temporaryDirectory(t), name);
  writeFileSync(path, content);
  return path;
}

interface Figures {
  lines: number;
  records: number;
  events: number;
  inserted: number;
  merged: number;
  duplicates: number;
  rejected: number;
  incomplete: string[];
}

/** Imports, and expects an exit code. @returns the figures of --json */
async function imported(code: number, ...words: string[]): Promise<Figures & { stderr: string }> {
  const ended = await cliHere(['import', '--json', ...words], settings());
  assert.equal(ended.code, code, ended.stderr);
  return { ...(JSON.parse(ended.stdout) as Figures), stderr: ended.stderr };
}

/** Every run of a service, without its number there. */
async function runsOf({ request }: Service): Promise<unknown[]> {
  const { body } = await request('GET', `${RUNS}?limit=1000`);
  return (body as Run[])
    .map((run): Run => ({ ...run, id: undefined }))
    .sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
}

test('what is exported and imported elsewhere is the same, whatever the records; once more, it changes nothing', async (t) => {
  const from = await startService(t);
  const to = await startService(t);
  const records = fc.sample(
    fc.nat(150).chain((n) => recordOf(`run-${n}`)),
    400,
  );
  for (let n = 0; n < records.length; n += 50) {
    await from.request('POST', `${BATCH}?on_duplicate=merge`, records.slice(n, n + 50));
  }
  const path = join(temporaryDirectory(t), 'all.ndjson.gz');
  assert.equal((await cliHere(['export', '--output', path, '--gzip'], settings(from))).code, 0);
  const runs = await runsOf(from);
  assert.ok(runs.length > 50);
  const first = await cli(['import', path], settings(to));
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    new RegExp(`^${runs.length} records: ${runs.length} new, 0 merged, 0 that bring nothing; 0 lines rejected, in `),
  );
  assert.deepEqual(await runsOf(to), runs);
  const again = await cliHere(['import', path, '--json'], settings(to));
  const { inserted, merged, duplicates } = JSON.parse(again.stdout) as Figures;
  assert.deepEqual([inserted, merged, duplicates], [0, 0, runs.length]);
  assert.deepEqual(await runsOf(to), runs);
});

test('a backup of a client is taken: states merge, events are passed over, empty lines too, numbers stay to the digit', async (t) => {
  const run = aRun({ event_id: 'stateful', updated_at: '2026-01-10T12:00:00Z' });
  const end = { ...run, status: 'success', updated_at: '2026-01-10T12:01:00Z', items_succeeded: 4 };
  const text =
    `\uFEFF${line({ record_type: 'run', ...run })}\r\n   \n` +
    line({ record_type: 'event', run_id: 'r', event_type: 'checkpoint' }) +
    line({ record_type: 'event', run_id: 'r', event_type: 'checkpoint' }) +
    line({ record_type: 'run', ...end }) +
    `${JSON.stringify({ ...aRun({ event_id: 'big' }) }).slice(0, -1)},"metrics_json":{"n":123456789012345678901234567890}}`;
  const { stderr, ...figures } = await imported(0, written(t, text));
  assert.deepEqual(
    [figures.lines, figures.records, figures.events, figures.inserted, figures.merged, figures.rejected],
    [5, 3, 2, 2, 1, 0],
  );
  assert.equal(stderr.match(/holds events too/g)?.length, 1);
  const { status, items_succeeded } = await shown(service(), 'stateful');
  assert.deepEqual([status, items_succeeded], ['success', 4]);
  const exported = await cliHere(['runs', 'big', '--json'], settings());
  assert.match(exported.stdout, /"metrics_json":\{"n":123456789012345678901234567890\}/);
});

test('on_duplicate ignore leaves a known run as it is', async (t) => {
  const run = aRun({ event_id: 'known', product: 'before' });
  await service().request('POST', RUNS, run);
  const later = line({ ...run, product: 'after', updated_at: '2099-01-01T00:00:00Z' });
  const { duplicates } = await imported(0, written(t, later), '--on-duplicate', 'ignore');
  assert.equal(duplicates, 1);
  assert.equal((await shown(service(), 'known')).product, 'before');
});

test('standard input and several files are taken; what is compressed is seen by its content', async (t) => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => line(aRun({ event_id: `many-${id}` })));
  const plain = written(t, String(a), 'looks.gz');
  const packed = written(t, Buffer.concat([gzipSync(String(b)), gzipSync(String(c))]), 'plain.ndjson');
  assert.equal((await imported(0, plain, packed)).inserted, 3);
  const child = startCli(['import', '-'], settings());
  const exit = once(child, 'close');
  child.stdin?.end(gzipSync(line(aRun({ event_id: 'many-d' }))));
  assert.equal((await exit)[0], 0);
  assert.equal((await shown(service(), 'many-d')).event_id, 'many-d');
});

test('a line that cannot be taken costs no other; the reasons are shown and, if asked, all kept in a file', async (t) => {
  const whole = { record_type: 'run', ...aRun({ event_id: 'behind-torn' }) };
  const lines = [
    JSON.stringify(aRun({ event_id: 'good-1' })),
    '{"record_type":"run","event_id":"torn","ru' + JSON.stringify(whole),
    JSON.stringify(aRun({ event_id: 'bad', status: 'nonsense' })),
    '"text"',
    JSON.stringify({ ...aRun(), record_type: 'strange' }),
    ...Array.from({ length: 20 }, (_, n) => `{"torn": ${n}`),
    JSON.stringify(aRun({ event_id: 'good-2' })),
  ];
  const path = written(t, lines.join('\n'));
  const rejected = `${path}.rejected`;
  const { stderr, ...figures } = await imported(3, path, '--rejected', rejected);
  assert.deepEqual([figures.inserted, figures.rejected], [3, 24]);
  await Promise.all(['good-1', 'good-2', 'behind-torn'].map((id) => shown(service(), id)));
  const offset = Buffer.byteLength(`${lines[0]}\n`);
  assert.ok(stderr.includes(`${path}, line 2 (byte ${offset}): not a JSON object: the line is torn`));
  assert.match(stderr, /line 3 .*: status: Input should be one of running/);
  assert.equal(stderr.match(/, line \d+ \(byte/g)?.length, 20);
  assert.match(stderr, /More lines are rejected and not shown\. All are in /);
  const kept = readFileSync(rejected, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.equal(kept.length, 24);
  assert.deepEqual(kept[0], {
    file: path,
    line: 2,
    offset,
    reason: 'not a JSON object: the line is torn, or something else wrote it',
    text: '{"record_type":"run","event_id":"torn","ru',
  });
  assert.deepEqual(
    kept.slice(1).map(({ line: number, text }) => [number, text]),
    lines.slice(2, -1).map((text, n) => [n + 3, text]),
  );
  const again = await cli(['import', path, '--rejected', rejected], settings());
  assert.equal(again.code, 1);
  assert.match(again.stderr, /rejected is there already and was left as it is\. Name another file in --rejected/);
});

test('a file that is not complete is told by its trailer or its compression, and what is there is taken', async (t) => {
  const text = line(aRun({ event_id: 'part-1' })) + line(aRun({ event_id: 'part-2' }));
  const trailer = (rows: number): string => line({ record_type: 'trailer', rows, sha256: 'a'.repeat(64) });
  const counted = await imported(3, written(t, text + trailer(3)));
  assert.match(
    counted.incomplete[0] ?? '',
    /is not complete: its trailer \(line 3\) tells of 3 runs, and 2 stand before it/,
  );
  const changed = await imported(3, written(t, text + trailer(2)));
  assert.match(changed.incomplete[0] ?? '', /is not as it was written: what stands before its trailer \(line 3\)/);
  assert.deepEqual([counted.inserted, changed.duplicates], [2, 2]);
  const packed = gzipSync(Array.from({ length: 300 }, (_, n) => line(aRun({ event_id: `packed-${n}` }))).join(''));
  const cut = await imported(3, written(t, packed.subarray(0, packed.length / 2)));
  assert.match(cut.incomplete[0] ?? '', /its compressed data ends early or is damaged \(unexpected end of file\)/);
  assert.ok(cut.inserted > 50 && cut.inserted < 300);
});

test('two exports one behind the other are both checked', async (t) => {
  const exported = await cliHere(['export', '--limit-is-no-option'], settings());
  assert.equal(exported.code, 2);
  const { stdout } = await cliHere(['export', '--agent-name', 'tester'], settings());
  const figures = await imported(0, written(t, stdout + stdout));
  assert.deepEqual([figures.records, figures.incomplete], [2 * (stdout.split('\n').length - 2), []]);
});

test('what is no file of runs is refused with the remedy', async (t) => {
  const refusals: [string[], number, RegExp][] = [
    [
      [written(t, `[${JSON.stringify(aRun())}]`)],
      1,
      /is one JSON array; one JSON object a line is taken\. .*jq -c '\.\[\]'/,
    ],
    [
      [written(t, 'id,event_id,run_id\r\n1,a,b\r\n')],
      1,
      /is CSV, which is for spreadsheets\. Export the runs as NDJSON/,
    ],
    [
      [written(t, gzipSync('SQLite format 3\0 and so on'))],
      1,
      /is a database that cannot be read as a stream\. Decompress it/,
    ],
    [['/no/such/file'], 1, /\/no\/such\/file cannot be read: ENOENT/],
    [[temporaryDirectory(t)], 1, /is a folder\. Name its files, such as .*\/\*\.ndjson/],
    [[], 2, /Name the files to import, or - for standard input/],
    [['-', '-'], 2, /Standard input can be read once only/],
    [['-', '--create', '--url', 'http://127.0.0.1:9'], 2, /--create makes a file here: leave out --url, or --create/],
    [['-', '--batch-size', '0'], 2, /--batch-size must be a whole number from 1 to 10000/],
  ];
  await Promise.all(
    refusals.map(async ([words, code, why]) => {
      const ended = await cliHere(['import', ...words], settings());
      assert.match(ended.stderr, why);
      assert.equal(ended.code, code);
    }),
  );
});

test('a dry run checks everything, sends nothing and needs no database', async (t) => {
  const path = written(t, `${line(aRun({ event_id: 'dry' }))}${line({ event_id: 'incomplete' })}`);
  const empty = temporaryDirectory(t);
  const { code, stdout, stderr } = await cliHere(['import', '--dry-run', path], localEnvironment(empty));
  assert.equal(code, 3);
  assert.match(stdout, /^1 record could be taken, and nothing was sent; 1 line rejected, in /);
  assert.match(stderr, /line 2 .*run_id: Field required/);
  assert.equal(existsSync(join(empty, 'db')), false);
});

test('a line that no batch could hold is rejected, and the next one taken', async (t) => {
  const path = written(t, line(aRun({ output_summary: 'x'.repeat(2_000) })) + line(aRun({ event_id: 'short' })));
  const environment = { ...settings(), TELEMETRY_MAX_BATCH_BYTES: '1024' };
  const { code, stdout, stderr } = await cliHere(['import', '--dry-run', '--json', path], environment);
  assert.deepEqual([code, (JSON.parse(stdout) as Figures).records], [3, 1]);
  assert.match(stderr, /line 1 \(byte 0\): longer than the 1024 bytes taken for a line/);
});

test('where no service runs the database itself is written, and without one it is said what to do', async (t) => {
  const { directory, close } = await startService(t);
  await close();
  const path = written(t, line(aRun({ event_id: 'offline' })));
  assert.equal((await cliHere(['import', path], localEnvironment(directory))).code, 0);
  const { stdout } = await cliHere(['runs', '--columns', 'event_id'], localEnvironment(directory));
  assert.equal(stdout, 'event_id\noffline\n');
  const none = await cliHere(['import', path], localEnvironment(temporaryDirectory(t)));
  assert.equal(none.code, 1);
  assert.match(none.stderr, /There is no database .*\. Add --create to make it, or name another with --db/);
});

test('a batch that is too large is halved, and a service that is busy is waited for', async (t) => {
  const fake = await fakeService(t);
  fake.store.maxBody = 1_200;
  fake.script = (_received, count) => (count === 1 ? { status: 429, body: { detail: 'slow' } } : undefined);
  const runs = Array.from({ length: 20 }, (_, n) => aRun({ event_id: `half-${n}` }));
  const path = written(
    t,
    runs.map(line).join('') + line(aRun({ event_id: 'large', output_summary: 'x'.repeat(2_000) })),
  );
  const { code, stdout, stderr } = await cliHere(['import', path, '--url', fake.url, '--json']);
  assert.equal(code, 3);
  const { inserted, rejected } = JSON.parse(stdout) as Figures;
  assert.deepEqual([inserted, rejected, fake.store.runs.size], [20, 1, 20]);
  assert.match(stderr, /line 21 \(byte \d+\): the service answered 413: The body is too large/);
});

test('where the service goes away it is said how far it came, and that it may be done again', async (t) => {
  const fake = await fakeService(t);
  fake.script = (_received, count) => (count === 3 ? 'cut' : undefined);
  const path = written(t, Array.from({ length: 10 }, (_, n) => line(aRun({ event_id: `far-${n}` }))).join(''));
  const { code, stderr } = await cliHere(['import', path, '--batch-size', '2', '--url', fake.url]);
  assert.equal(code, 1);
  assert.ok(
    stderr.includes(
      `Stored up to ${path}, line 4. Run the same command again: what is stored already is not stored twice.`,
    ),
    stderr,
  );
});

test('an earlier service, in which one bad run costs its batch, gets the others', async (t) => {
  const fake = await fakeService(t);
  fake.store.older = true;
  fake.store.refuses = ({ event_id }) => (event_id === 'older-3' ? 'no such job' : undefined);
  const path = written(t, Array.from({ length: 8 }, (_, n) => line(aRun({ event_id: `older-${n}` }))).join(''));
  const { code, stderr } = await cliHere(['import', path, '--url', fake.url]);
  assert.deepEqual([code, fake.store.runs.size], [3, 7]);
  assert.match(stderr, /line 4 \(byte \d+\): the service answered 422: /);
});

test('spool files are taken as they are', async (t) => {
  const folder = join(temporaryDirectory(t), 'buffer');
  mkdirSync(folder);
  const path = join(folder, 'telemetry_20260110_120000.jsonl.ready');
  writeFileSync(path, line(aRun({ event_id: 'spooled' })));
  assert.equal((await imported(0, path)).inserted, 1);
});
