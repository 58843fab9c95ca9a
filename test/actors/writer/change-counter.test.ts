/** Writes behind our back are noticed by the header's change counter, and the rollups counted anew. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { nextChangeCounter, readChangeCounter } from '../../../src/actors/writer/header.ts';
import type { DatabaseConfig } from '../../../src/config.ts';
import { aRecord, create, databaseConfig, folder, groupOf, insertRuns, update } from '../../support/database.ts';
import { behindOurBack, keptCounter, rollupsIn, sessionIn } from '../../support/session.ts';

interface Place {
  directory: string;
  path: string;
}

/** A database with three runs, written and closed by a session. */
function written(t: TestContext, fields: Partial<DatabaseConfig> = {}): Place {
  const directory = folder(t);
  const session = sessionIn(t, directory, fields);
  session.open();
  const ended = aRecord();
  session.commit(groupOf(create(aRecord()), create(ended)));
  session.commit(groupOf(create(aRecord()), update(ended.event_id, { status: 'success' })));
  session.close();
  return { directory, path: databaseConfig(directory).path };
}

function reopen(t: TestContext, { directory }: Place, fields: Partial<DatabaseConfig> = {}): void {
  const session = sessionIn(t, directory, fields);
  session.open();
  assert.equal(session.recounting, false, 'so few runs are counted while opening');
  session.close();
}

/** Makes the rollups wrong in a way that only a recount would mend. */
const WRONG = "UPDATE rollup_runs SET runs = runs + 7; INSERT INTO rollup_hours VALUES ('1999-01-01T00', 7)";

/** The same without a trace in the change counter. */
function tamper({ path }: Place): void {
  const counter = nextChangeCounter(readChangeCounter(path));
  behindOurBack(path, (db) => db.exec(`BEGIN; ${WRONG}; UPDATE rollup_state SET change_counter = ${counter}; COMMIT`));
}

test('after every commit and after closing, the kept counter is the one in the header', (t) => {
  const place = written(t);
  const header = readChangeCounter(place.path);
  assert.ok(header > 0);
  assert.equal(keptCounter(place.path), header);
  reopen(t, place);
  assert.equal(readChangeCounter(place.path), header, 'opening and closing writes nothing');
});

test('runs that another program adds, changes or removes are counted at the next start', (t) => {
  for (const sql of [
    "UPDATE agent_runs SET status = 'timeout' WHERE id = 1",
    'DELETE FROM agent_runs WHERE id = 2',
    "UPDATE agent_runs SET created_at = '2025-01-01T00:00:00.000000+00:00'",
    WRONG,
  ]) {
    const place = written(t);
    behindOurBack(place.path, (db) => db.exec(sql));
    assert.notDeepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true, sql);
    reopen(t, place);
    assert.deepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true, sql);
    assert.equal(keptCounter(place.path), readChangeCounter(place.path));
  }
});

test('an unchanged database is not counted again', (t) => {
  const place = written(t);
  tamper(place);
  const { kept } = rollupsIn(place.path);
  assert.notDeepEqual(kept, rollupsIn(place.path).true);
  reopen(t, place);
  assert.deepEqual(rollupsIn(place.path).kept, kept);
});

test('a write behind our back while the service runs is counted at the next start', (t) => {
  const place = written(t);
  const session = sessionIn(t, place.directory);
  session.open();
  session.commit(groupOf(create(aRecord())));
  behindOurBack(place.path, (db) => insertRuns(db, [aRecord()]));
  session.commit(groupOf(create(aRecord())));
  session.close();
  assert.notEqual(keptCounter(place.path), readChangeCounter(place.path));
  reopen(t, place);
  assert.deepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true);
});

test('in WAL, where the counter stands still, every start counts', (t) => {
  const place = written(t, { journalMode: 'WAL' });
  assert.equal(keptCounter(place.path), null);
  behindOurBack(place.path, (db) => db.exec(WRONG));
  reopen(t, place, { journalMode: 'WAL' });
  assert.deepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true);
});

test('a database that was in WAL for a while is counted when it comes back', (t) => {
  const place = written(t);
  reopen(t, place, { journalMode: 'WAL' });
  behindOurBack(place.path, (db) => db.exec(WRONG));
  reopen(t, place);
  assert.deepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true);
  assert.equal(keptCounter(place.path), readChangeCounter(place.path));
});

test('a session that takes over in the midst of a recount ends it, and the next start trusts it', (t) => {
  const place = written(t);
  // As a writer leaves it that dies while it counts.
  const counter = nextChangeCounter(readChangeCounter(place.path));
  const dying = `UPDATE rollup_state SET change_counter = ${counter}, trusted = 0`;
  behindOurBack(place.path, (db) => db.exec(`BEGIN; ${WRONG}; ${dying}; COMMIT`));
  const session = sessionIn(t, place.directory, {}, { first: false });
  session.open();
  session.commit(groupOf(create(aRecord())));
  session.close();
  assert.deepEqual(rollupsIn(place.path).kept, rollupsIn(place.path).true);
  assert.equal(keptCounter(place.path), readChangeCounter(place.path));
});

test('VACUUM by another program makes the next start count, and harms nothing', (t) => {
  const place = written(t);
  const before = rollupsIn(place.path);
  behindOurBack(place.path, (db) => db.exec('VACUUM'));
  reopen(t, place);
  assert.deepEqual(rollupsIn(place.path), before);
  assert.equal(keptCounter(place.path), readChangeCounter(place.path));
});
