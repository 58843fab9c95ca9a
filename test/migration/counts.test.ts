import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChangeCounter } from '../../src/actors/writer/header.ts';
import { databaseConfig, folder } from '../support/database.ts';
import { makeOlder } from '../support/older.ts';
import { migrateWholly } from '../support/older-verdict.ts';
import { keptCounter, rollupsIn, sessionIn } from '../support/session.ts';

test('the first start after a migration trusts its counts, and writes nothing', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  makeOlder(path, 'v6', 200);
  migrateWholly(path);
  const counter = readChangeCounter(path);
  assert.ok(counter > 0);
  assert.equal(keptCounter(path), counter);
  const session = sessionIn(t, directory);
  session.open();
  assert.equal(session.recounting, false);
  session.close();
  assert.equal(readChangeCounter(path), counter, 'to count anew would have written');
  const counts = rollupsIn(path);
  assert.deepEqual(counts.kept, counts.true);
});
