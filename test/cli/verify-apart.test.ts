/** What `verify` says beside its findings: of other programs, hostile records, torn lines and files that are no backup. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { ProcessLock } from '../../src/actors/writer/lock.ts';
import type { Check } from '../../src/offline/check.ts';
import { isTrouble } from '../../src/offline/files.ts';
import { copyPathOf, removeDeadCopies } from '../../src/offline/verify-copy.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { madeWithHotJournal } from '../support/files.ts';
import { aRun, type Environment, localEnvironment, startService, temporaryDirectory } from '../support/service.ts';
import { behindOurBack } from '../support/session.ts';
import { closedDatabase } from '../offline/closed.ts';

const lineOf = (run: Record<string, unknown>): string => JSON.stringify({ record_type: 'run', ...run });

async function checkOf(settings: Environment, name: string): Promise<Check> {
  const { stdout, stderr } = await cliHere(['verify', '--json'], settings);
  assert.ok(stdout, stderr);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return checks.find((check) => check.name === name) as Check;
}

/** The NDJSON folder of a base directory, made. */
function rawOf(directory: string): string {
  const raw = join(directory, 'raw');
  mkdirSync(raw, { recursive: true });
  return raw;
}

test('two checks of one running service at once both see all of it, and leave nothing', async (t) => {
  const service = await startService(t);
  await service.request(
    'POST',
    '/api/v1/runs/batch',
    Array.from({ length: 300 }, () => aRun()),
  );
  const settings = localEnvironment(service.directory);
  const both = await Promise.all([1, 2].map(() => cli(['verify'], settings)));
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
    both.map(({ stderr }) => stderr).join(''),
  );
  assert.deepEqual(
    readdirSync(dirname(service.path)).filter((name) => name.includes('verifying')),
    [],
  );
});

test('copies of dead processes go, those of living ones and fresh ones stay', (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'telemetry.sqlite');
  const names = ['999999999-0a', '999999999-0b', `${process.pid}-0c`].map((id) => `${path}.${id}.verifying`);
  for (const name of [...names, `${path}.verifying.txt`, `${names[0]}-journal`]) writeFileSync(name, 'x');
  for (const name of [names[0], names[2]]) utimesSync(String(name), 0, 0);
  removeDeadCopies(path);
  assert.deepEqual(
    [...names, `${names[0]}-journal`, `${path}.verifying.txt`].map((name) => existsSync(name)),
    [false, true, true, false, true],
  );
  assert.notEqual(copyPathOf(path), copyPathOf(path));
});

test('what is in the way is no finding: a locked file exits with 1, and nobody is told to restore', async (t) => {
  const directory = temporaryDirectory(t);
  const foreign = new Database(closedDatabase(directory, 1));
  t.after(() => foreign.close());
  foreign.exec('BEGIN EXCLUSIVE');
  const { code, stdout, stderr } = await cliHere(['verify'], localEnvironment(directory));
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /telemetry\.sqlite is locked by another program\. Stop it, or run this again later\./);
  const trouble = (code: string): boolean => isTrouble(Object.assign(new Error(), { code }));
  for (const code of ['SQLITE_IOERR_READ', 'SQLITE_CANTOPEN', 'SQLITE_READONLY_ROLLBACK', 'EACCES', 'EIO'])
    assert.ok(trouble(code));
  for (const code of ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_CORRUPT_INDEX']) assert.ok(!trouble(code));
});

test('no service can start while a closed database is checked, and none is checked that has one', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = new ProcessLock(closedDatabase(directory, 1), undefined);
  t.after(() => lock.release());
  const { code, stderr } = await cliHere(['verify'], localEnvironment(directory));
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`is in use by the process with pid ${process.pid} on host`));
});

test('nothing in a record or the name of a file commands the terminal', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const evil = '\u001B]0;owned\u0007\u001B[31m\u009B\u007F';
  const raw = rawOf(directory);
  writeFileSync(join(raw, 'a.ndjson'), `${lineOf(aRun({ event_id: `id${evil}` }))}\n`);
  writeFileSync(join(raw, `b${evil}.ndjson.gz`), gzipSync('x').subarray(0, 12));
  for (const words of [['verify'], ['verify', '--json']]) {
    const { code, stdout } = await cliHere(words, localEnvironment(directory));
    assert.equal(code, 3);
    assert.match(stdout, /missing: id/);
    assert.match(stdout, /not read to its end: .*unexpected end of file/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u);
  }
});

test('the remedy for missing runs works when it is copied to a shell, with odd names and compressed files', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const raw = rawOf(directory);
  writeFileSync(join(raw, "it's here.ndjson.gz"), gzipSync(`${lineOf(aRun())}\n`));
  writeFileSync(join(raw, '$(exit).ndjson'), `${lineOf(aRun())}\n`);
  writeFileSync(join(raw, 'other.ndjson'), '\n');
  const settings = localEnvironment(directory);
  const { remedy = '' } = await checkOf(settings, 'ndjson');
  const line = remedy.replace(/^This brings them in: /, '');
  assert.doesNotMatch(line, /other/);
  const bin = fileURLToPath(new URL('../../bin', import.meta.url));
  const env = { ...settings, PATH: `${bin}${delimiter}${process.env.PATH}` };
  await promisify(execFile)('sh', ['-c', line], { env });
  const { state, summary } = await checkOf(settings, 'ndjson');
  assert.deepEqual([state, summary], ['ok', '2 records in 3 files, all in the database']);
});

test('for many files the remedy names the folder', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const raw = rawOf(directory);
  for (let day = 0; day < 21; day++) writeFileSync(join(raw, `${day}.ndjson`), `${lineOf(aRun())}\n`);
  const { remedy } = await checkOf(localEnvironment(directory), 'ndjson');
  assert.equal(remedy, `This brings them in: local-telemetry import '${raw}'/*.ndjson`);
});

test('a whole record behind half a one is missed, as import would bring it in', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const file = join(rawOf(directory), 'a.ndjson');
  const run = aRun();
  writeFileSync(file, `{"record_type":"run","event_${lineOf(run)}\n`);
  const settings = localEnvironment(directory);
  const { state, details } = await checkOf(settings, 'ndjson');
  assert.deepEqual([state, details], ['bad', [`missing: ${run.event_id}`, '1 torn line']]);
  await cliHere(['import', file], settings);
  assert.equal((await checkOf(settings, 'ndjson')).state, 'ok');
});

test('JSON fields with text that is no JSON, as a migration keeps them, are well', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 2);
  behindOurBack(path, (db) =>
    db.exec("UPDATE agent_runs SET metrics_json = 'tokens: 5', context_json = '[' WHERE id = 1"),
  );
  assert.equal((await checkOf(localEnvironment(directory), 'runs')).state, 'ok');
});

test('problems of pages come one a line', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 400);
  const [root = 0, size = 0] = behindOurBack(path, (db) => [
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'idx_runs_start'").pluck().get() as number,
    db.pragma('page_size', { simple: true }) as number,
  ]);
  const bytes = readFileSync(path);
  // How many cells the first page has.
  bytes.writeUInt16BE(5_000, (root - 1) * size + 3);
  writeFileSync(path, bytes);
  const { state, details } = await checkOf(localEnvironment(directory), 'integrity');
  assert.equal(state, 'bad');
  assert.ok(details.length > 0);
  for (const line of details) assert.doesNotMatch(line, /\n|\*\*\*/);
});

test('--file says what a file is that cannot be checked as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const raw = join(directory, "r'aw.sqlite");
  madeWithHotJournal(raw);
  symlinkSync('loop', join(directory, 'loop'));
  const cases: [file: string, why: RegExp][] = [
    [file('text.sqlite', 'a text'), /text\.sqlite is not a SQLite database\. Give a backup\./],
    [file('b.sqlite.gz', gzipSync('x')), /b\.sqlite\.gz is compressed: gunzip it first\./],
    [join(directory, 'nothing'), /nothing is not there\. Give the path of a backup\./],
    [
      raw,
      /r'aw\.sqlite has r'aw\.sqlite-journal beside it: .* local-telemetry backup --db '.*r'\\''aw\.sqlite'\. Then verify/,
    ],
    [join(directory, 'loop', 'x'), /x cannot be looked at \(ELOOP.*\)\. Run this as a user who may/],
  ];
  for (const [path, why] of cases) {
    const { code, stdout, stderr } = await cliHere(['verify', '--file', path], localEnvironment(directory));
    assert.deepEqual([code, stdout], [1, ''], path);
    assert.match(stderr, why);
  }
});

test('a folder that may not be looked into is said in words', async (t) => {
  const directory = temporaryDirectory(t);
  symlinkSync('loop', join(directory, 'loop'));
  const path = join(directory, 'loop', 'telemetry.sqlite');
  for (const words of [['verify'], ['backup']]) {
    const { code, stderr } = await cliHere([...words, '--db', path], localEnvironment(directory));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /telemetry\.sqlite cannot be looked at \(ELOOP.*\)\. Run this as a user who may, most often that of the service/,
    );
  }
});
