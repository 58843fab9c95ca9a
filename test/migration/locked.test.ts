import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrateOlder } from '../../src/actors/writer/older/migrate.ts';
import { folder } from '../support/database.ts';
import { digestsOf } from '../support/files.ts';
import { makeOlder } from '../support/older.ts';
import { differences, migrateWholly, refusedUntouched } from '../support/older-verdict.ts';

for (const mode of ['DELETE', 'WAL']) {
  test(`a database that another program writes in mode ${mode} is refused, and migrated once it is let go`, (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = makeOlder(path, 'v6');
    const other = new Database(path);
    t.after(() => other.close());
    other.pragma(`journal_mode = ${mode}`);
    other.exec('BEGIN IMMEDIATE');
    refusedUntouched(path, /is in use by another program.* Stop the earlier service and whatever else has it open/);
    other.exec('ROLLBACK');
    other.close();
    migrateWholly(path);
    assert.deepEqual(differences(path, older.runs), []);
  });
}

test('while it is migrated, nobody else can write the older database', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  let attempts = 0;
  for (const { phase } of migrateOlder(path)) {
    if (phase === 'check') continue;
    const other = new Database(path, { timeout: 0 });
    assert.throws(() => other.exec('UPDATE agent_runs SET host = 1'), { code: 'SQLITE_BUSY' }, phase);
    other.close();
    attempts++;
  }
  assert.ok(attempts > 3);
});

for (const mode of ['DELETE', 'PERSIST', 'TRUNCATE']) {
  test(`a program in mode ${mode} that has the older database still open afterwards can write nowhere`, (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = makeOlder(path, 'v6');
    const other = new Database(path);
    t.after(() => other.close());
    other.pragma(`journal_mode = ${mode}`);
    other.exec("UPDATE agent_runs SET host = 'host-1' WHERE id = 1");
    const { migrated } = migrateWholly(path);
    const after = digestsOf(path);
    const write = (): unknown => other.exec("UPDATE agent_runs SET host = 'late'");
    assert.throws(write, { code: 'SQLITE_READONLY_DBMOVED', message: 'attempt to write a readonly database' });
    other.close();
    assert.deepEqual(digestsOf(path), after, 'neither into the new one nor into the backup, and no journal is left');
    assert.ok(basename(migrated.backup) in after);
    assert.deepEqual(differences(path, older.runs), []);
  });
}
