/** Databases that need more than SQLite has by itself, and one whose name cannot be changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { look } from '../../src/actors/writer/inspect.ts';
import { readMigrations } from '../../src/actors/writer/migrate.ts';
import { survey } from '../../src/actors/writer/older/survey.ts';
import { folder } from '../support/database.ts';
import { makeOlder } from '../support/older.ts';
import { differences, migrateWholly, refusedUntouched } from '../support/older-verdict.ts';

/** Statements, then a change of the schema's text behind SQLite's back: as a program has it that brings more to SQLite. */
function rewritten(path: string, sql: string, from: string, to: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.unsafeMode();
  db.pragma('writable_schema = ON');
  assert.ok(db.prepare('UPDATE sqlite_schema SET sql = replace(sql, ?, ?)').run(from, to).changes > 0);
  db.close();
}

const UNREADABLE: readonly (readonly [name: string, sql: string, from: string, to: string, why: RegExp])[] = [
  [
    'a key in an order that is not known',
    'CREATE TABLE agent_runs (run_id TEXT COLLATE nocase PRIMARY KEY) WITHOUT ROWID',
    'nocase',
    'icu_de',
    /no such collation sequence: icu_de/,
  ],
  [
    'an index in an order that is not known',
    'CREATE TABLE agent_runs (run_id, host); CREATE INDEX by_host ON agent_runs (host COLLATE nocase)',
    'nocase',
    'icu_de',
    /no such collation sequence: icu_de/,
  ],
  [
    'a column computed by a function that is not known',
    'CREATE TABLE agent_runs (run_id, host AS (upper(run_id)))',
    'upper',
    'shout',
    /no such function: shout|unknown function: shout/,
  ],
];

for (const [name, sql, from, to, why] of UNREADABLE) {
  test(`${name} is refused with its name and a remedy`, (t) => {
    const path = join(folder(t), 't.sqlite');
    rewritten(path, `${sql}; INSERT INTO agent_runs (run_id) VALUES ('b'), ('a')`, from, to);
    const message = new RegExp(
      `cannot be read here \\(.*(${why.source}).*\\): .* Make a copy of it, .* It was not changed\\.$`,
    );
    refusedUntouched(path, message);
  });
}

test('versions in a view that cannot be read are refused by whoever looks', (t) => {
  const path = join(folder(t), 't.sqlite');
  const sql =
    'CREATE TABLE agent_runs (run_id); CREATE TABLE kept (version); CREATE VIEW schema_migrations AS SELECT version FROM kept';
  rewritten(path, sql, 'FROM kept', 'FROM gone');
  const refusal = { code: 'refused', message: /cannot be read here \(.*gone.*\).* Make a copy of it/ };
  assert.throws(() => look(path, readMigrations()), refusal);
  assert.throws(() => survey(path), refusal);
});

test('a view that cannot be read stays in the backup, and does no harm', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v6');
  rewritten(path, 'CREATE TABLE kept (x); CREATE VIEW broken AS SELECT x FROM kept', 'FROM kept', 'FROM gone');
  const { migrated } = migrateWholly(path);
  assert.deepEqual(migrated.leftBehind, ['table kept', 'view broken']);
  assert.deepEqual(differences(path, older.runs), []);
});

/** A database that is mounted by itself; undefined, and the test skipped, where that is not allowed. */
function mountedAlone(t: TestContext): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-mount-'));
  const [original, path] = [join(directory, 'host.sqlite'), join(directory, 'container', 't.sqlite')];
  mkdirSync(dirname(path));
  makeOlder(original, 'v6');
  writeFileSync(path, '');
  let mounted = false;
  t.after(() => {
    if (mounted) execFileSync('umount', ['-l', path]);
    rmSync(directory, { recursive: true });
  });
  try {
    execFileSync('mount', ['--bind', original, path], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a file');
    return undefined;
  }
  mounted = true;
  return path;
}

test('a database that is mounted as a single file is refused: its folder must be', (t) => {
  const path = mountedAlone(t);
  if (path === undefined) return;
  refusedUntouched(path, /cannot be given another name \(EBUSY.*mounted as a single file\. Mount the folder/);
  assert.deepEqual(readdirSync(dirname(path)), ['t.sqlite']);
});
