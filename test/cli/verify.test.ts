import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { digestsOf, madeWithHotJournal } from '../support/files.ts';
import { behindOurBack } from '../support/session.ts';
import {
  aRun,
  type Ended,
  type Environment,
  localEnvironment,
  startService,
  temporaryDirectory,
} from '../support/service.ts';
import { drained, spoolOf } from '../support/spool-service.ts';
import { closedDatabase, damageIndex } from '../offline/closed.ts';

interface Found {
  code: number | null;
  ok: boolean;
  /** Its state and summary by each check's name. */
  checks: Record<string, { state: string; summary: string; details: string[]; remedy?: string }>;
}

/** In a process of its own, where a service lives in this one. */
const verifyApart = (settings: Environment): Promise<Found> => found(cli(['verify', '--json'], settings));

const verify = (settings: Environment, ...words: string[]): Promise<Found> =>
  found(cliHere(['verify', '--json', ...words], settings));

async function found(ended: Promise<Ended>): Promise<Found> {
  const { code, stdout, stderr } = await ended;
  assert.ok(stdout, stderr);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: ({ name: string } & Found['checks'][string])[] };
  return { code, ok, checks: Object.fromEntries(checks.map(({ name, ...check }) => [name, check])) };
}

const states = ({ checks }: Found): string =>
  Object.entries(checks)
    .map(([name, { state }]) => `${name} ${state}`)
    .join(', ');

const ALL_OK = 'integrity ok, foreign_keys ok, schema ok, rollups ok, runs ok, ndjson ok, spool ok';

const lineOf = (run: Record<string, unknown>, type = 'run'): string =>
  `${JSON.stringify({ record_type: type, ...run })}\n`;

/** The NDJSON folder of a base directory, made. */
function rawOf(directory: string): string {
  const raw = join(directory, 'raw');
  mkdirSync(raw, { recursive: true });
  return raw;
}

for (const journal of ['DELETE', 'WAL']) {
  test(`a database with retention, a spool, changes and commits is well, with its service running and stopped (${journal})`, async (t) => {
    const directory = temporaryDirectory(t);
    const [spool, raw] = [spoolOf(directory), rawOf(directory)];
    const service = await startService(t, { TELEMETRY_DB_JOURNAL_MODE: journal }, directory);
    const old = aRun({ created_at: '2025-06-01T00:00:00Z' });
    const [posted, changed, spooled] = [aRun(), aRun({ status: 'running' }), aRun({ status: 'success' })];
    await service.request('POST', '/api/v1/runs/batch', [old, posted, changed]);
    await service.request('PATCH', `/api/v1/runs/${changed.event_id}`, { status: 'success', duration_ms: 5 });
    const commit = { commit_hash: 'abcdef0123', commit_source: 'ci' };
    await service.request('POST', `/api/v1/runs/${posted.event_id}/associate-commit`, commit);
    writeFileSync(join(spool, 'telemetry_a.jsonl.sealed'), `${JSON.stringify(spooled)}\n`);
    await drained(service, 1);
    await service.platform.writer.send(
      'delete',
      { before: '2025-12-01T00:00:00.000000+00:00', limit: 10 },
      new Uint8Array(),
    );
    const lines = [old, posted, changed, { ...spooled, status: 'running' }, spooled].map((run) => lineOf(run));
    const rest = [lineOf({ run_id: 'r', event_type: 'x', timestamp: 't' }, 'event'), '\n', '{"record_type":"ru', '\n'];
    writeFileSync(join(raw, 'events_20260110.ndjson'), [...lines, ...rest].join(''));
    writeFileSync(join(raw, 'events_20260109.ndjson.gz'), gzipSync(lines.join('')));
    for (const running of [true, false]) {
      if (!running) await service.close();
      const found = await verifyApart(localEnvironment(directory));
      assert.equal(states(found), ALL_OK, JSON.stringify(found.checks));
      assert.deepEqual(
        [found.code, found.ok, found.checks.ndjson?.summary],
        [0, true, '10 records in 2 files, all in the database'],
      );
      const notes = [
        '2 records of runs that were deleted on purpose',
        '1 torn line',
        '1 empty line',
        '1 event not compared',
      ];
      assert.deepEqual(found.checks.ndjson?.details, notes);
      const left = readdirSync(dirname(service.path)).filter((name) => name.includes('verifying'));
      assert.deepEqual(left, [], 'the copy is gone');
    }
  });
}

test('people get a line a check', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 3);
  const { code, stdout } = await cliHere(['verify'], localEnvironment(directory));
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 7);
  assert.match(lines[0] ?? '', /^ok {2}integrity {5}\d+ pages, every index entry$/);
  assert.match(lines[4] ?? '', /^ok {2}runs {10}3 runs, each one that could be sent$/);
});

test('a flipped byte in an index is found, and --quick finds it not', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 300);
  damageIndex(path, 'idx_runs_start');
  const found = await verify(localEnvironment(directory));
  assert.deepEqual([found.code, found.ok, found.checks.integrity?.state], [3, false, 'bad']);
  assert.match(found.checks.integrity?.details[0] ?? '', /idx_runs_start/);
  const people = await cli(['verify'], localEnvironment(directory));
  assert.equal(people.code, 3);
  assert.match(people.stdout, /^bad {2}integrity .*\n(.*idx_runs_start.*\n)+ +-> local-telemetry optimize --reindex/);
  assert.equal((await verify(localEnvironment(directory), '--quick')).checks.integrity?.state, 'ok');
});

test('a file whose first page is gone is damaged, not a failure', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 3);
  writeFileSync(path, Buffer.alloc(8192, 'x'));
  const found = await verify(localEnvironment(directory));
  assert.deepEqual([found.code, states(found)], [3, 'integrity bad']);
});

test('a drifted count, a foreign row, a lost index and a lost parent are found', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 5);
  behindOurBack(path, (db) => {
    db.pragma('foreign_keys = OFF');
    db.exec(`UPDATE rollup_hours SET runs = 7; DROP INDEX idx_runs_insight; INSERT INTO run_clocks VALUES (99, '{}');
      ALTER TABLE commits DROP COLUMN insertions; UPDATE agent_runs SET created_at = '2026-01-10 12:00' WHERE id = 2;`);
  });
  const { code, checks } = await verify(localEnvironment(directory));
  assert.equal(code, 3);
  assert.deepEqual(checks.foreign_keys?.details, [
    'run_clocks: row 99 refers to a row of agent_runs that is not there',
  ]);
  assert.deepEqual(checks.schema?.details, [
    'index idx_runs_insight is missing',
    'table commits: column insertions is missing',
  ]);
  assert.match(
    checks.rollups?.details.join() ?? '',
    /^\d{4}-\d\d-\d\dT\d\d: kept 7, counted 4,2026-01-10 12: kept 0, counted 1$/,
  );
  assert.match(checks.rollups?.remedy ?? '', /^local-telemetry optimize --recount/);
  assert.match(checks.runs?.details.join() ?? '', /^[\w-]{36}: created_at: not in the form in which it is stored$/);
});

test('runs that NDJSON knows and the database has not are missing or behind, unless they are on their way', async (t) => {
  const directory = temporaryDirectory(t);
  const [spool, raw] = [spoolOf(directory), rawOf(directory)];
  const service = await startService(t, {}, directory);
  const [missing, behind, waiting, rejected, young] = Array.from({ length: 5 }, () => aRun({ status: 'running' }));
  await service.request('POST', '/api/v1/runs', behind);
  await service.close();
  const now = new Date().toISOString();
  const records = [missing, { ...behind, status: 'success' }, waiting, rejected, { ...young, updated_at: now }];
  writeFileSync(join(raw, 'events_20260110.ndjson'), `${records.map((run) => lineOf(run ?? {})).join('')}{"a":1}\n[]`);
  writeFileSync(join(spool, 'telemetry_a.jsonl.live'), `${JSON.stringify(waiting)}\n`);
  const rejection = { offset: 0, reason: 'because', line: JSON.stringify(rejected) };
  writeFileSync(join(spool, 'telemetry_b.jsonl.rejected'), `${JSON.stringify(rejection)}\n`);
  const found = await verify(localEnvironment(directory));
  assert.equal(found.code, 3);
  const { ndjson, spool: pending } = found.checks;
  assert.equal(ndjson?.summary, '5 records in 1 file: missing in the database: 1 run, behind: 1');
  assert.deepEqual(ndjson?.details, [
    `missing: ${missing?.event_id}`,
    `behind: ${behind?.event_id}`,
    '1 run waiting in the spool',
    '1 run rejected by the spool',
    '1 run perhaps on the way, younger than a minute',
    '2 lines that can never be a run',
  ]);
  assert.match(
    ndjson?.remedy ?? '',
    /^This brings them in: local-telemetry import '.*\/raw\/events_20260110\.ndjson'$/,
  );
  assert.match(pending?.summary ?? '', /^1 live, 1 rejected; \d+ bytes wait, the oldest for \d+ s; rejected: 1 line$/);
  assert.equal(pending?.state, 'warning');
});

test('rejected lines are a warning, which --strict counts', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  writeFileSync(join(spoolOf(directory), 'telemetry_b.jsonl.rejected'), '{"offset":0,"reason":"r","line":"x"}\n');
  const settings = localEnvironment(directory);
  assert.equal((await verify(settings)).code, 0);
  const strict = await verify(settings, '--strict');
  assert.deepEqual([strict.code, strict.ok], [3, false]);
});

test('a spool file that is shorter than what was read from it is found', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(spoolOf(directory), 'telemetry_a.jsonl.live');
  const service = await startService(t, {}, directory);
  await service.close();
  writeFileSync(path, 'x');
  const { ino } = statSync(path);
  behindOurBack(service.path, (db) =>
    db.exec(`INSERT INTO spool_files (name, inode, position, updated_at) VALUES ('telemetry_a', '${ino}', 50, 't')`),
  );
  const { code, checks } = await verify(localEnvironment(directory));
  assert.equal(code, 3);
  assert.deepEqual(checks.spool?.details, ['telemetry_a: 49 bytes fewer than were read from it']);
});

test('an NDJSON file that is cut in its compressed form is found', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  writeFileSync(join(rawOf(directory), 'events_20260110.ndjson.gz'), gzipSync(lineOf(aRun())).subarray(0, 40));
  const { code, checks } = await verify(localEnvironment(directory));
  assert.equal(code, 3);
  assert.match(
    checks.ndjson?.details.at(-1) ?? '',
    /not read to its end: .*events_20260110\.ndjson\.gz: unexpected end of file/,
  );
});

test('--file checks a backup alone, and leaves it as it is', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 30);
  const file = join(directory, 'copy.sqlite');
  await cliHere(['backup', file], localEnvironment(directory));
  writeFileSync(join(rawOf(directory), 'events_20260110.ndjson'), lineOf(aRun()));
  const before = digestsOf(file);
  const found = await verify(localEnvironment(directory), '--file', file);
  assert.deepEqual([found.code, states(found)], [0, 'integrity ok, foreign_keys ok, schema ok, rollups ok, runs ok']);
  assert.deepEqual(digestsOf(file), before);
});

test('a database of an earlier version is checked as far as it goes', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'old.sqlite');
  behindOurBack(path, (db) =>
    db.exec(
      'CREATE TABLE agent_runs (x); CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES (6)',
    ),
  );
  const found = await verify(localEnvironment(directory), '--file', path);
  assert.deepEqual([found.code, states(found)], [0, 'integrity ok, schema warning']);
});

test('what a crash left is rolled back first, where no service runs', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'telemetry.sqlite');
  const runs = madeWithHotJournal(path);
  const { checks } = await verify({ ...localEnvironment(directory), TELEMETRY_DB_PATH: path });
  assert.deepEqual([checks.integrity?.state, existsSync(`${path}-journal`)], ['ok', false]);
  assert.match(checks.runs?.summary ?? '', new RegExp(`^${runs} runs`));
});

test('what cannot be looked at is an error that says so', async (t) => {
  const directory = temporaryDirectory(t);
  const settings = localEnvironment(directory);
  const nothing = await cli(['verify'], settings);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /There is no database .* to check\. Set TELEMETRY_DB_PATH or give --db/);
  const file = await cli(['verify', '--file', directory], settings);
  assert.equal(file.code, 1);
  assert.match(file.stderr, /is not a file\. Give the path of a backup/);
  const service = await startService(t);
  const live = await cli(['verify', '--file', service.path], settings);
  assert.equal(live.code, 1);
  assert.match(live.stderr, /is in use by a service\. Copy it first: local-telemetry backup --db/);
});
