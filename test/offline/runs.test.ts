import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unsoundRuns } from '../../src/offline/runs.ts';
import { aRecord, insertRuns, memoryDatabase } from '../support/database.ts';

const LONG = 'x'.repeat(600);

function unsoundAfter(change: string): string[] {
  const db = memoryDatabase();
  insertRuns(db, [aRecord()]);
  db.exec(`UPDATE agent_runs SET ${change}`);
  return unsoundRuns(db, () => undefined).first.map((line) => line.replace(/^.*?: /, ''));
}

test('what a release before this stored is sound: longer ids, any source of a commit, empty texts', () => {
  for (const change of [
    `run_id = '${LONG}', agent_name = '${LONG}'`,
    `git_commit_source = 'github'`,
    `host = '', website = '${LONG.repeat(5)}'`,
  ])
    assert.deepEqual(unsoundAfter(change), [], change.slice(0, 50));
});

test('what is read where it comes in, and never stored so, is not sound in a row', () => {
  const form = 'not in the form in which it is stored';
  assert.deepEqual(unsoundAfter(`end_time = ''`), [`end_time: ${form}`]);
  assert.deepEqual(unsoundAfter(`end_time = '2026-01-10T12:00:00+00:00Z'`), [`end_time: ${form}`]);
  assert.deepEqual(unsoundAfter(`end_time = '1765368330'`), [`end_time: ${form}`]);
  assert.deepEqual(unsoundAfter(`api_posted = 'True'`), [`api_posted: ${form}`]);
  assert.deepEqual(unsoundAfter(`schema_version = ''`), [`schema_version: ${form}`]);
  assert.deepEqual(unsoundAfter(`git_commit_source = x'00'`), [`git_commit_source: ${form}`]);
});
