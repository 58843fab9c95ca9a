/** Whether the kept counts are those of the runs, and what ever came is not fewer than what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ever } from '../../src/actors/writer/ever.ts';
import { runsKey } from '../../src/actors/writer/rollups.ts';
import { checkDatabase } from '../../src/offline/verify.ts';
import { rollupDifferences } from '../../src/offline/rollups.ts';
import { folder } from '../support/database.ts';
import { behindOurBack } from '../support/session.ts';
import { closedDatabase } from './closed.ts';

test('fewer runs that ever came than are there are found, and a recount sets that right', (t) => {
  const path = closedDatabase(folder(t), 5, { agent_name: 'a', job_type: 'j', status: 'success' });
  behindOurBack(path, (db) => {
    assert.deepEqual(rollupDifferences(db), []);
    db.exec('UPDATE rollup_ever SET runs = 4');
    assert.deepEqual(rollupDifferences(db), [{ key: 'a / j / success, ever', kept: 4, counted: 5 }]);
    const check = checkDatabase(db, { quick: true, onProgress: () => undefined }).find(
      ({ name }) => name === 'rollups',
    );
    assert.deepEqual(
      [check?.state, check?.details, check?.remedy],
      ['bad', ['a / j / success, ever: kept 4, counted 5'], 'local-telemetry optimize --recount counts them anew'],
    );
    db.exec('DELETE FROM rollup_ever');
    assert.deepEqual(rollupDifferences(db), [{ key: 'a / j / success, ever', kept: 0, counted: 5 }]);
    new Ever(db).raise(new Map([[runsKey('a', 'j', 'success'), 5]]));
    assert.deepEqual(rollupDifferences(db), []);
    db.exec('UPDATE rollup_ever SET runs = 99');
    assert.deepEqual(rollupDifferences(db), [], 'more may have come than are there');
  });
});

test('combinations without a row of their own are looked for in that of all others', (t) => {
  const path = closedDatabase(folder(t), 5, { agent_name: 'a', job_type: 'j', status: 'success' });
  behindOurBack(path, (db) => {
    db.exec('DELETE FROM rollup_ever');
    new Ever(db, 0).raise(new Map([[runsKey('a', 'j', 'success'), 4]]));
    assert.deepEqual(rollupDifferences(db), [{ key: '(other) / (other) / success, ever', kept: 4, counted: 5 }]);
    new Ever(db, 0).raise(new Map([[runsKey('a', 'j', 'success'), 5]]));
    assert.deepEqual(rollupDifferences(db), []);
  });
});

test('a database that does not keep what ever came has no such difference', (t) => {
  const path = closedDatabase(folder(t), 5);
  behindOurBack(path, (db) => {
    db.exec('DROP TABLE rollup_ever');
    assert.deepEqual(rollupDifferences(db), []);
  });
});
