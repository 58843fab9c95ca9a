import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { survey } from '../../src/actors/writer/older/survey.ts';
import { fileDatabase, folder } from '../support/database.ts';
import { insertOlder, makeOlder, makeOlderInWal, type Older } from '../support/older.ts';
import { OLDER_SCHEMAS, type OlderSchemaName } from '../support/older-schemas.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';

/** Every file of a folder, -shm and all. */
function filesIn(folder: string): Record<string, string> {
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(readdirSync(folder).map((name) => [name, digest(name)]));
}

function makeInWalMode(path: string): Older {
  const older = makeOlder(path, 'v3');
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.close();
  return older;
}

const FIXTURES: readonly (readonly [string, (path: string) => Older])[] = [
  ...Object.keys(OLDER_SCHEMAS).map((name) => {
    return [name, (path: string) => makeOlder(path, name as OlderSchemaName)] as const;
  }),
  ['v3 with half of it in a WAL', makeOlderInWal],
  ['v3 in WAL mode, closed in order', makeInWalMode],
];

for (const [name, make] of FIXTURES) {
  test(`${name}: a survey says what is there and changes no byte of any file`, (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = make(path);
    const before = filesIn(dirname(path));
    const found = survey(path);
    assert.deepEqual(filesIn(dirname(path)), before);
    assert.deepEqual([found.version, found.shape, found.rows], [older.version, older.shape, older.runs.length]);
    assert.ok(found.expectedSeconds > 0 && found.expectedSeconds < 30, String(found.expectedSeconds));
    assert.ok(found.freeBytes > 0 && found.neededBytes > found.bytes);
    assert.deepEqual(
      { ...survey(path), expectedSeconds: 0, freeBytes: 0 },
      { ...found, expectedSeconds: 0, freeBytes: 0 },
    );
    const { migrated } = migrateWholly(path);
    assert.deepEqual([migrated.rows, migrated.events, migrated.commits], [found.rows, found.events, found.commits]);
  });
}

test('a survey names what is missing, what stays behind, and what lies in the WAL', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlderInWal(path);
  const { notes, steps } = survey(path);
  assert.match(String(notes[0]), /^\d+ bytes of it lie in the write-ahead log beside it$/);
  assert.match(String(notes[1]), /^its runs have no event_id, website, /);
  assert.equal(steps[0], 'take what lies in the write-ahead log into the database');
  const db = new Database(path);
  db.exec('CREATE TABLE notes (x)');
  db.close();
  assert.deepEqual(survey(path).notes.at(-1), 'only in the backup afterwards: table notes');
});

test('a database of this version has nothing to convert, and migrating it is refused', (t) => {
  const { db, path } = fileDatabase(t);
  db.close();
  const { version, steps, rows } = survey(path);
  assert.deepEqual([version, steps, rows], [9, [], 0]);
  assert.throws(() => migrateWholly(path), { code: 'refused', message: /has version 9 already/ });
});

test('a database left in the midst of a commit is not surveyed; migrating undoes the half commit first', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(`${path}.origin`, 'v6');
  const db = new Database(`${path}.origin`);
  db.pragma('foreign_keys = OFF');
  db.pragma('cache_size = 5');
  db.exec("BEGIN IMMEDIATE; UPDATE agent_runs SET output_summary = 'half'; DELETE FROM agent_runs WHERE id > 30");
  copyFileSync(`${path}.origin`, path);
  copyFileSync(`${path}.origin-journal`, `${path}-journal`);
  db.exec('ROLLBACK');
  db.close();
  const before = filesIn(dirname(path));
  const why = /was left in the midst of a commit by a crash.*`local-telemetry migrate` does that first/;
  assert.throws(() => survey(path), { code: 'refused', message: why });
  assert.deepEqual(filesIn(dirname(path)), before);
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});

test('a survey reads beside a program that has the database open in WAL mode, and leaves its files to it', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v3');
  const db = new Database(path);
  t.after(() => db.close());
  db.pragma('journal_mode = WAL');
  insertOlder(db, [
    {
      ...(older.runs[0] as Older['runs'][number]),
      id: 5000,
      given: { run_id: 'late', agent_name: 'a', start_time: 't' },
    },
  ]);
  const before = readdirSync(dirname(path));
  assert.equal(survey(path).rows, older.runs.length + 1);
  assert.deepEqual(readdirSync(dirname(path)), before);
  db.exec("DELETE FROM agent_runs WHERE run_id = 'late'");
  assert.equal(survey(path).rows, older.runs.length);
});

test('events without a run are not expected to take as long as building a database does, each', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6', 0);
  const db = new Database(path);
  db.pragma('foreign_keys = OFF');
  db.exec(`INSERT INTO run_events (run_id, event_type, timestamp)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT 'r', 'checkpoint', 't' FROM n`);
  db.close();
  const { expectedSeconds, events } = survey(path);
  const { migrated } = migrateWholly(path);
  assert.deepEqual([events, migrated.events], [30_000, 30_000]);
  assert.ok(
    expectedSeconds < 8 * migrated.seconds + 1 && expectedSeconds > migrated.seconds / 20,
    `${expectedSeconds} s expected, ${migrated.seconds} s taken`,
  );
});
