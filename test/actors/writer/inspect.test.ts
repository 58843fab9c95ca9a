import assert from 'node:assert/strict';
import { existsSync, linkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { inspect, look } from '../../../src/actors/writer/inspect.ts';
import { readMigrations } from '../../../src/actors/writer/migrate.ts';
import { fileDatabase, folder } from '../../support/database.ts';
import { digestsOf, hasJournal, madeWithHotJournal, OLDER, REFUSED } from '../../support/files.ts';

const migrations = readMigrations();
const newest = migrations.at(-1)?.version;

for (const [name, make, why] of [...REFUSED, ...OLDER]) {
  test(`${name} is refused, with a remedy, and not a byte of it changed`, (t) => {
    const path = join(folder(t), 'x.sqlite');
    make(path);
    const before = digestsOf(path);
    assert.throws(
      () => inspect(path, migrations),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'refused');
        assert.match(error.message, why);
        assert.ok(error.message.includes(path) && error.message.endsWith('It was not changed.'), error.message);
        return true;
      },
    );
    assert.deepEqual(digestsOf(path), before);
  });
}

for (const [name, make] of OLDER) {
  test(`${name} is told from what cannot be migrated`, (t) => {
    const path = join(folder(t), 'x.sqlite');
    make(path);
    assert.equal(look(path, migrations).older, true);
  });
}

test('a file that is missing is a new database, and is not made by looking', (t) => {
  const path = join(folder(t), 'x.sqlite');
  assert.equal(inspect(path, migrations), 0);
  assert.equal(existsSync(path), false);
});

test('a file without a byte is a new database: a kill between open and first commit leaves that', (t) => {
  const path = join(folder(t), 'x.sqlite');
  writeFileSync(path, '');
  assert.equal(inspect(path, migrations), 0);
});

test('a SQLite database without a table is a new one', (t) => {
  const path = join(folder(t), 'x.sqlite');
  const db = new Database(path);
  db.exec('CREATE TABLE t (x); DROP TABLE t');
  db.close();
  const before = digestsOf(path);
  assert.equal(inspect(path, migrations), 0);
  assert.deepEqual(digestsOf(path), before);
});

test('a file with two names is refused: under the other a second writer could start', (t) => {
  const { db, path } = fileDatabase(t);
  db.close();
  linkSync(path, `${path}.copy`);
  const before = digestsOf(path);
  assert.throws(() => inspect(path, migrations), {
    code: 'refused',
    message: /has 2 names \(hard links\).*cp instead of ln/,
  });
  assert.deepEqual(digestsOf(path), before);
  unlinkSync(`${path}.copy`);
  assert.equal(inspect(path, migrations), newest);
});

test('a folder is refused', (t) => {
  const path = folder(t);
  assert.throws(() => inspect(path, migrations), { code: 'refused', message: /is not a file/ });
});

test('a database of ours has the newest version', (t) => {
  const { db, path } = fileDatabase(t);
  db.close();
  const before = digestsOf(path);
  assert.equal(inspect(path, migrations), newest);
  assert.deepEqual(digestsOf(path), before);
});

test('a database that a crash left with a hot journal is recovered and then looked at', (t) => {
  const path = join(folder(t), 'x.sqlite');
  const runs = madeWithHotJournal(path);
  assert.equal(hasJournal(path), true);
  assert.throws(
    () => {
      const db = new Database(path, { readonly: true });
      t.after(() => db.close());
      db.prepare('SELECT 1 FROM agent_runs').get();
    },
    { code: 'SQLITE_READONLY_ROLLBACK' },
    'the journal is hot: a reader may not even look',
  );
  assert.equal(inspect(path, migrations), newest);
  assert.equal(hasJournal(path), false);
  const db = new Database(path, { readonly: true });
  t.after(() => db.close());
  assert.equal(db.prepare("SELECT count(*) FROM agent_runs WHERE output_summary <> 'half'").pluck().get(), runs);
  assert.deepEqual(db.pragma('integrity_check', { simple: true }), 'ok');
});
