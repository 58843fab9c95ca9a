import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { survey } from '../../src/actors/writer/older/survey.ts';
import { COLUMNS } from '../../src/run.ts';
import { folder } from '../support/database.ts';
import { insertOlder } from '../support/older.ts';
import { contendingRuns, oddRuns } from '../support/older-odd-runs.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';
import { rollupsIn } from '../support/session.ts';

/** Columns without types keep whatever is put into them. */
const UNTYPED = `CREATE TABLE agent_runs (id INTEGER PRIMARY KEY, ${COLUMNS.join(', ')}, note)`;

function made(t: TestContext, ...statements: string[]): { path: string; db: Database.Database } {
  const path = join(folder(t), 't.sqlite');
  const db = new Database(path);
  for (const sql of statements) db.exec(sql);
  return { path, db };
}

function rowsOf(path: string, sql: string): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).raw().all();
  } finally {
    db.close();
  }
}

test('every odd run is kept: with the nearest sane values, and its original where something was lost or guessed', (t) => {
  const { path, db } = made(t, UNTYPED);
  const runs = [...oddRuns(), ...contendingRuns()];
  insertOlder(db, runs);
  db.close();
  const { migrated } = migrateWholly(path);
  assert.deepEqual(differences(path, runs), []);
  const repairs = runs.flatMap((run) => run.repairs);
  assert.equal(migrated.repaired, runs.filter((run) => run.repairs.length > 0).length);
  assert.deepEqual(
    migrated.repairs,
    Object.fromEntries(
      [...new Set(repairs)].sort().map((repair) => [repair, repairs.filter((other) => other === repair).length]),
    ),
  );
});

test('an original has every value to the bit, but for credentials', (t) => {
  const { path, db } = made(
    t,
    'CREATE TABLE agent_runs (run_id, event_id, start_time, git_repo, host, duration_ms, metrics_json, note)',
  );
  db.prepare('INSERT INTO agent_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    'r',
    null,
    12.0,
    'https://u:secret@example.org/r',
    Buffer.from([1, 255]),
    2n ** 62n,
    '{"a": 1}',
    -Infinity,
  );
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT original FROM run_originals'), [
    [
      '{"run_id":"r","event_id":null,"start_time":12.0,"git_repo":"https://example.org/r","host":{"$blob":"Af8="},' +
        '"duration_ms":4611686018427387904,"metrics_json":"{\\"a\\": 1}","note":{"$real":"-Infinity"}}',
    ],
  ]);
});

test('text that is not UTF-8 is kept as its bytes', (t) => {
  const { path, db } = made(t, UNTYPED, "INSERT INTO agent_runs (run_id, host) VALUES ('r', CAST(x'61ff62' AS TEXT))");
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT host FROM agent_runs'), [['a\uFFFDb']]);
  const [[original]] = rowsOf(path, 'SELECT original FROM run_originals') as [[string]];
  assert.deepEqual((JSON.parse(original) as { host: unknown }).host, { $blob: 'Yf9i' });
});

test('an event_id is derived from the run_id alike for ever', (t) => {
  const { path, db } = made(t, UNTYPED, "INSERT INTO agent_runs (run_id) VALUES ('20251210-120530-agent')");
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT event_id FROM agent_runs'), [['eb593953-ad76-59fe-8f73-324226334d44']]);
});

test('ids that nothing counted up to are numbered on, behind the others', (t) => {
  const { path, db } = made(t, UNTYPED);
  for (const id of [-5n, 0n, 7n, 2n ** 60n]) {
    db.prepare('INSERT INTO agent_runs (id, event_id, run_id) VALUES (?, ?, ?)').run(id, `e${id}`, 'r');
  }
  db.close();
  migrateWholly(path);
  const expected = [
    [7, 'e7'],
    [8, 'e-5'],
    [9, 'e0'],
    [10, `e${2n ** 60n}`],
  ];
  assert.deepEqual(rowsOf(path, 'SELECT id, event_id FROM agent_runs ORDER BY id'), expected);
  const counts = rollupsIn(path);
  assert.deepEqual(counts.kept, counts.true, 'each is counted');
  assert.equal(rowsOf(path, 'SELECT total(runs) FROM rollup_runs').flat()[0], 4);
});

test('where no id was counted up to, the runs are numbered from 1, and counted', (t) => {
  const { path, db } = made(t, UNTYPED);
  const insert = db.prepare('INSERT INTO agent_runs (id, event_id, run_id) VALUES (?, ?, ?)');
  for (const id of [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]) insert.run(id, `e${id}`, 'r');
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT id FROM agent_runs ORDER BY id').flat(), [1, 2, 3, 4]);
  const counts = rollupsIn(path);
  assert.deepEqual(counts.kept, counts.true);
});

test('ids of events that are text are numbered anew, and said to stay in the backup', (t) => {
  const { path, db } = made(
    t,
    UNTYPED,
    `CREATE TABLE run_events (id TEXT PRIMARY KEY, run_id, event_type, timestamp, payload_json);
     INSERT INTO run_events (rowid, id, run_id) VALUES (1, 'first', 'r'), (2, 'second', 'r'), (3, '3', 'r'), (4, NULL, 'r')`,
  );
  db.close();
  assert.deepEqual(survey(path).notes.at(-1), 'only in the backup afterwards: the ids of 2 events');
  const { migrated } = migrateWholly(path);
  assert.deepEqual(migrated.leftBehind, ['the ids of 2 events']);
  assert.deepEqual(rowsOf(path, 'SELECT id FROM run_events ORDER BY id').flat(), [1, 2, 3, 4]);
});

test('ids of events without rowids are numbered anew, and said to stay in the backup', (t) => {
  const { path, db } = made(
    t,
    UNTYPED,
    `CREATE TABLE run_events (ID INTEGER PRIMARY KEY, run_id) WITHOUT ROWID; INSERT INTO run_events VALUES (70, 'r'), (80, 'r')`,
  );
  db.close();
  assert.deepEqual(migrateWholly(path).migrated.leftBehind, ['the ids of 2 events']);
  assert.deepEqual(rowsOf(path, 'SELECT id FROM run_events ORDER BY id').flat(), [1, 2]);
});

test('a table without rowids is numbered in the order of its key', (t) => {
  const { path, db } = made(
    t,
    "CREATE TABLE Agent_Runs (Run_Id TEXT PRIMARY KEY, HOST TEXT) WITHOUT ROWID; INSERT INTO agent_runs VALUES ('b', 'hb'), ('a', 'ha')",
  );
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT id, run_id, host FROM agent_runs ORDER BY id'), [
    [1, 'a', 'ha'],
    [2, 'b', 'hb'],
  ]);
});

test('columns named like the rowid do not hide it', (t) => {
  const { path, db } = made(
    t,
    "CREATE TABLE agent_runs (run_id, rowid, _rowid_); INSERT INTO agent_runs (oid, run_id, rowid) VALUES (9, 'r', 3)",
  );
  db.close();
  migrateWholly(path);
  assert.deepEqual(rowsOf(path, 'SELECT id, run_id FROM agent_runs'), [[9, 'r']]);
});

test('events and commits with nothing where something must be get something, and what is there twice both stays', (t) => {
  const { path, db } = made(
    t,
    UNTYPED,
    `CREATE TABLE run_events (run_id, event_type, timestamp, payload_json);
     CREATE TABLE commits (commit_hash, run_id, repo, files_changed, insertions, deletions);
     INSERT INTO run_events VALUES (NULL, NULL, NULL, NULL), (5, 'end', 'soon', x'ff');
     INSERT INTO commits VALUES (NULL, NULL, 'https://u:p@example.org/r', '7', 2.5, '9e99'), ('a', 1, NULL, 'few', '-', 3), ('a', 2, NULL, 1, 1e18, '99999999999999999999');`,
  );
  db.close();
  const { migrated } = migrateWholly(path);
  assert.deepEqual([migrated.events, migrated.commits], [2, 3]);
  assert.deepEqual(rowsOf(path, 'SELECT * FROM run_events ORDER BY id'), [
    [1, 'unknown', 'unknown', '1970-01-01T00:00:00.000000+00:00', null],
    [2, '5', 'end', 'soon', Buffer.from([255])],
  ]);
  assert.deepEqual(
    rowsOf(path, 'SELECT commit_hash, run_id, repo, files_changed, insertions, deletions FROM commits ORDER BY rowid'),
    [
      ['unknown-1', null, 'https://example.org/r', 7, 2.5, 9e99],
      ['a', '1', null, 'few', null, 3],
      ['a-3', '2', null, 1, 1e18, 1e20],
    ],
  );
});
