import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aRecord, create, fileDatabase, groupOf, groupWriter, insertRuns } from '../../support/database.ts';
import { codesOf, databaseConfig, folder, rollupsOf, totalsOf } from '../../support/database.ts';
import { behindOurBack, rollupsIn, sessionIn } from '../../support/session.ts';

const NAMES = ['a\0b', '\0', 'a\0', '', '[]', '"', '\\', '["a","b","c"]', "'; --", '\n', '\u2028', '\ufeff', '😀', 'a'];

test('runs whose names hold any character are counted anew', (t) => {
  const { db } = fileDatabase(t);
  const pairs = NAMES.flatMap((agent_name) => ['j', '\0', 'b\0c'].map((job_type) => ({ agent_name, job_type })));
  insertRuns(
    db,
    pairs.map((names) => aRecord(names)),
  );
  const writer = groupWriter(db, { rollupsTrusted: false });
  while (writer.recounting) writer.recount(1_000);
  assert.equal(rollupsOf(db).runs.length, pairs.length);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('a blob in the place of a name is counted as its text', (t) => {
  const { db } = fileDatabase(t);
  insertRuns(db, [aRecord(), aRecord()]);
  db.pragma('ignore_check_constraints = ON');
  db.exec(
    `UPDATE agent_runs SET agent_name = x'626c6f62', status = x'00ff', created_at = CAST(created_at AS BLOB) WHERE id = 1`,
  );
  const writer = groupWriter(db, { rollupsTrusted: false });
  while (writer.recounting) writer.recount(1_000);
  assert.deepEqual(
    (rollupsOf(db).runs as [string, string, string, number][]).map(([agent, , , runs]) => [agent, runs]),
    [
      ['blob', 1],
      ['tester', 1],
    ],
  );
});

test('a service opens a database with such names of a foreign program, and goes on counting', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const first = sessionIn(t, directory);
  first.open();
  first.close();
  behindOurBack(path, (db) =>
    insertRuns(
      db,
      NAMES.map((agent_name) => aRecord({ agent_name })),
    ),
  );
  const session = sessionIn(t, directory);
  assert.deepEqual(session.open().warnings, []);
  assert.equal(session.recounting, false);
  assert.deepEqual(codesOf(session.commit(groupOf(create(aRecord())))), ['ok']);
  session.close();
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});
