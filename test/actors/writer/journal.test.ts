import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { syncJournal } from '../../../src/actors/writer/place.ts';
import { aRecord, fileDatabase, insertRuns } from '../../support/database.ts';

/** What another process gets that wants to write. */
function foreignWrite(path: string): string {
  const script = `new (require('better-sqlite3'))(${JSON.stringify(path)}, { timeout: 0 }).exec('BEGIN IMMEDIATE')`;
  return spawnSync(process.execPath, ['--eval', script], { encoding: 'utf8' }).stderr;
}

test('syncing the journal of a transaction loses no lock of its database', (t) => {
  const { db, path } = fileDatabase(t);
  insertRuns(db, [aRecord()]);
  db.exec("BEGIN IMMEDIATE; UPDATE agent_runs SET host = 'h'");
  assert.ok(existsSync(`${path}-journal`));
  syncJournal(path);
  assert.match(foreignWrite(path), /database is locked/);
  db.exec('COMMIT');
  assert.equal(foreignWrite(path), '');
});

test('where there is no journal nothing happens', (t) => {
  const { path } = fileDatabase(t);
  syncJournal(path);
  assert.equal(existsSync(`${path}-journal`), false);
});
