import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrateOlder } from '../../src/actors/writer/older/migrate.ts';
import { folder } from '../support/database.ts';
import { digestsOf } from '../support/files.ts';
import { makeOlder } from '../support/older.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';

/** Migrates, and does something once it comes to a phase. */
function disturbed(path: string, phase: string, disturb: () => void): void {
  let once = false;
  for (const progress of migrateOlder(path)) {
    if (progress.phase !== phase || once) continue;
    once = true;
    disturb();
  }
}

const CHANGES: readonly (readonly [what: string, sql: string, why: RegExp])[] = [
  [
    'a run with another value',
    "UPDATE agent_runs SET host = 'other' WHERE id = 7",
    /the runs read back are not those written/,
  ],
  ['a run that is missing', 'DELETE FROM agent_runs WHERE id = 7', /the runs read back are not those written/],
  ['an original with another reason', "UPDATE run_originals SET reasons = '[]'", /the originals read back/],
  ['an event of another run', "UPDATE run_events SET run_id = 'other' WHERE id = 5", /the events read back/],
  ['a commit with another number', 'UPDATE commits SET files_changed = 4', /the commits read back/],
];

for (const [what, sql, why] of CHANGES) {
  test(`${what} in what was built is found out: it is thrown away, and the older database stays`, (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = makeOlder(path, 'v6');
    const db = new Database(path);
    db.exec('ALTER TABLE agent_runs ADD COLUMN note; UPDATE agent_runs SET note = 1 WHERE id = 3');
    db.close();
    const before = digestsOf(path);
    const change = (): void => {
      const built = new Database(`${path}.migrating`);
      built.pragma('foreign_keys = OFF');
      assert.ok(built.prepare(sql).run().changes > 0);
      built.close();
    };
    assert.throws(() => disturbed(path, 'verify', change), { code: 'internal', message: why });
    assert.deepEqual(digestsOf(path), before);
    const { migrated } = migrateWholly(path);
    assert.deepEqual([migrated.rows, migrated.repaired], [older.runs.length, 1]);
  });
}

test('a database that is replaced meanwhile is left to whoever did that', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v6');
  copyFileSync(path, `${path}.other`);
  const replace = (): void => renameSync(`${path}.other`, path);
  const why = /was replaced by another program while it was migrated\. Stop that program/;
  assert.throws(() => disturbed(path, 'index', replace), { code: 'refused', message: why });
  assert.deepEqual(readdirSync(dirname(path)), ['t.sqlite']);
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});

test('an index that counts other runs than the table has is not believed', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v6');
  const work = (...statements: string[]): void => {
    const db = new Database(path);
    db.unsafeMode();
    db.pragma('foreign_keys = OFF');
    db.pragma('writable_schema = ON');
    for (const sql of statements) db.exec(sql);
    db.close();
  };
  // Behind the back of every index of the table.
  work(
    "CREATE TABLE hidden AS SELECT * FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'agent_runs' AND sql IS NOT NULL",
    'DELETE FROM sqlite_schema WHERE name IN (SELECT name FROM hidden)',
  );
  work('DELETE FROM agent_runs WHERE id > 100');
  work('INSERT INTO sqlite_schema SELECT * FROM hidden', 'DELETE FROM hidden');
  const { migrated } = migrateWholly(path);
  const kept = older.runs.filter(({ id }) => id <= 100);
  assert.equal(migrated.rows, kept.length);
  assert.deepEqual(differences(path, kept), []);
});
