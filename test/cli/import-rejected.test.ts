/** `import` of what was rejected before, and into a database that is still to be made. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../src/cli/import/judge.ts';
import { cliHere } from '../support/cli-here.ts';
import { serviceOfFile, shown } from '../support/http.ts';
import { aRun, localEnvironment, openToVerify, startService, temporaryDirectory } from '../support/service.ts';

const service = serviceOfFile();
const line = (fields: object): string => `${JSON.stringify(fields)}\n`;

test('entries of files of rejected lines are the lines in them, whoever rejected them', async (t) => {
  const directory = temporaryDirectory(t);
  const held = (id: string): string => `${JSON.stringify(aRun({ event_id: id })).slice(0, -1)},"items_failed":2}`;
  const entries = [
    { offset: 12, reason: 'status: no', line: held('by-service') },
    { rejected_at: '2026-01-10T12:00:00Z', reason: '422 no', line: held('by-client') },
    { file: 'a.ndjson', line: 3, offset: 99, reason: 'no', text: held('by-import') },
    { file: 'a.sqlite', line: 3, reason: 'of a database', text: held('by-import-of-a-database') },
    { offset: 1, reason: 'twice', line: JSON.stringify({ offset: 1, reason: 'once', line: held('twice') }) },
    { offset: 50, reason: 'torn', line: '{"event_id":"torn' },
    { offset: 60, reason: 'bad', line: JSON.stringify(aRun({ event_id: 'bad', status: 'nonsense' })) },
  ];
  const path = join(directory, 'telemetry_1.jsonl.rejected');
  writeFileSync(path, entries.map(line).join(''));
  const again = join(directory, 'again.ndjson');
  const words = ['import', path, '--rejected', again, '--json'];
  const { code, stdout, stderr } = await cliHere(words, localEnvironment(service().directory));
  assert.equal(code, 3, stderr);
  const { lines, inserted, rejected } = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual([lines, inserted, rejected], [7, 5, 2]);
  for (const id of ['by-service', 'by-client', 'by-import', 'by-import-of-a-database', 'twice'])
    assert.equal((await shown(service(), id)).items_failed, 2);
  const kept = readFileSync(again, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(
    kept.map(({ line: number, text }) => [number, text]),
    [
      [6, entries[5]?.line],
      [7, entries[6]?.line],
    ],
  );
  assert.match(String(kept[0]?.reason), /the line is torn/);
  assert.match(String(kept[1]?.reason), /^status: Input should be one of/);
  // And once corrected it is taken from there.
  writeFileSync(again, readFileSync(again, 'utf8').replace('nonsense', 'success'));
  const third = await cliHere(['import', again, '--json'], localEnvironment(service().directory));
  assert.equal((JSON.parse(third.stdout) as Record<string, number>).inserted, 1);
});

test('what only resembles an entry is no entry', () => {
  const run = aRun();
  const text = JSON.stringify(run);
  for (const value of [
    { ...run, reason: 'mine', line: text },
    { line: text },
    { reason: 1, line: text },
    { reason: 'no', line: 4 },
  ]) {
    const found = judge(Buffer.from(JSON.stringify(value)));
    assert.deepEqual(
      found.map((one) => 'text' in one && one.text),
      [JSON.stringify(value)],
    );
  }
});

test('--create makes the database, and only where there is none', async (t) => {
  const directory = temporaryDirectory(t);
  const source = join(directory, 'runs.ndjson');
  writeFileSync(source, line(aRun({ event_id: 'first' })));
  const path = join(directory, 'new', 'copy.sqlite');
  const words = ['import', source, '--db', path];
  const settings = localEnvironment(directory);
  const none = await cliHere(words, settings);
  assert.match(none.stderr, /There is no database .*copy\.sqlite\. Add --create to make it/);
  assert.deepEqual([none.code, existsSync(join(directory, 'new'))], [1, false]);
  const created = await cliHere([...words, '--create'], settings);
  assert.equal(created.code, 0, created.stderr);
  writeFileSync(source, line(aRun({ event_id: 'second' })));
  assert.equal((await cliHere([...words, '--create'], settings)).code, 0);
  const rows = openToVerify(t, path).prepare('SELECT event_id FROM agent_runs ORDER BY id').pluck().all();
  assert.deepEqual(rows, ['first', 'second']);
});

test('neither the database that is to be made nor its lock file is read or written as a file', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(directory);
  const path = join(directory, 'copy.sqlite');
  const source = join(directory, 'runs.ndjson');
  writeFileSync(source, line({ event_id: 'not whole' }));
  writeFileSync(`${path}.lock`, '');
  for (const words of [
    [source, '--rejected', path],
    [source, '--rejected', `${directory}/./copy.sqlite`],
    [`${path}.lock`],
  ]) {
    const { code, stderr } = await cliHere(['import', ...words, '--create', '--db', path], settings);
    assert.match(stderr, /is the very database that it would be imported into, or its lock file/);
    assert.deepEqual([code, existsSync(path)], [1, false]);
  }
});

test('the database of a running service is not taken as a source, by whatever name', async (t) => {
  const { directory, path } = await startService(t);
  const { stderr } = await cliHere(['import', `${path}.lock`], localEnvironment(directory));
  assert.match(stderr, /\.lock is the very database that it would be imported into, or its lock file/);
});
