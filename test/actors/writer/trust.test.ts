import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { Gate } from '../../../src/actors/gate.ts';
import { WriterHandle } from '../../../src/actors/writer/handle.ts';
import { aRecord, codesOf, create, databaseConfig, folder, groupOf, insertRuns } from '../../support/database.ts';
import { testConfig } from '../../support/config.ts';
import { Recorder } from '../../support/service.ts';
import { behindOurBack, rollupsIn, sessionIn } from '../../support/session.ts';

const WARNING = /could not be counted at the start \(stopped here\)/;

// No recount can end before this is gone, however fast it is.
const STOP = `CREATE TRIGGER stop BEFORE INSERT ON rollup_runs BEGIN SELECT RAISE(ABORT, 'stopped here'); END`;

/** A database of ours that a foreign program wrote to, and whose recount cannot end. @returns its path */
function writtenTo(t: TestContext, directory: string): string {
  const { path } = databaseConfig(directory);
  const session = sessionIn(t, directory);
  session.open();
  session.commit(groupOf(create(aRecord())));
  session.close();
  behindOurBack(path, (db) => {
    insertRuns(db, [aRecord({ agent_name: 'foreign' }), aRecord({ agent_name: 'foreign' })]);
    db.exec(STOP);
  });
  return path;
}

const state = (path: string): unknown =>
  behindOurBack(path, (db) => db.prepare('SELECT change_counter, trusted FROM rollup_state').raw().get());
const letGo = (path: string): unknown => behindOurBack(path, (db) => db.exec('DROP TRIGGER stop'));

test('counts that a foreign program made wrong are marked so on disk before they are counted anew', (t) => {
  const directory = folder(t);
  const path = writtenTo(t, directory);
  assert.equal((state(path) as number[])[1], 1);
  const session = sessionIn(t, directory);
  assert.match(String(session.open().warnings), WARNING);
  assert.equal(session.recounting, true);
  assert.deepEqual(state(path), [null, 0]);
});

test('a session that ends before its recount does leaves it to the next one of the process', (t) => {
  const directory = folder(t);
  const path = writtenTo(t, directory);
  const first = sessionIn(t, directory);
  first.open();
  first.close();
  const second = sessionIn(t, directory, {}, { first: false });
  assert.match(String(second.open().warnings), WARNING);
  assert.equal(second.recounting, true);
  second.close();
  letGo(path);
  const third = sessionIn(t, directory, {}, { first: false });
  assert.deepEqual(third.open().warnings, []);
  assert.equal(third.recounting, false);
  third.close();
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('a foreign lock does not keep a service from starting whose counts are wrong', (t) => {
  const directory = folder(t);
  const path = writtenTo(t, directory);
  letGo(path);
  const foreign = new Database(path);
  t.after(() => foreign.close());
  foreign.exec('BEGIN IMMEDIATE');
  const session = sessionIn(t, directory, { busyTimeoutMs: 1 });
  assert.match(String(session.open().warnings), /could not be counted at the start \(database is locked\)/);
  assert.equal(session.recounting, true);
  foreign.exec('ROLLBACK');
  session.recount(1_000);
  session.recount(1_000);
  assert.equal(session.recounting, false);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('a commit beside a recount that has not ended does not make the counts trusted', (t) => {
  const directory = folder(t);
  const path = writtenTo(t, directory);
  const first = sessionIn(t, directory);
  first.open();
  letGo(path);
  assert.deepEqual(codesOf(first.commit(groupOf(create(aRecord())))), ['ok']);
  first.close();
  assert.equal((state(path) as number[])[1], 0);
  const second = sessionIn(t, directory, {}, { first: false });
  assert.deepEqual(second.open().warnings, []);
  second.close();
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('a writer thread that dies before its recount ended is followed by one that counts anew', async (t) => {
  const directory = folder(t);
  const path = writtenTo(t, directory);
  const recorder = new Recorder();
  const config = testConfig(directory, { TELEMETRY_DB_PATH: path });
  const options = { config, gate: new Gate(), log: recorder.logger, onFatal: () => undefined };
  const handle = new WriterHandle(options);
  t.after(() => handle.close());
  assert.match(String((await handle.open()).warnings), WARNING);
  letGo(path);
  await handle.thread?.terminate();
  await recorder.logged(/runs again/);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});
