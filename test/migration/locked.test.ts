import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrateOlder } from '../../src/actors/writer/older/migrate.ts';
import { folder } from '../support/database.ts';
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
