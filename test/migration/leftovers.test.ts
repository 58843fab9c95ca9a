/** What lies beside a database by the names that a migration uses: its own, and what is somebody else's. */
import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { repairInterrupted } from '../../src/actors/writer/older/migrate.ts';
import { databaseConfig, fileDatabase, folder } from '../support/database.ts';
import { smallDisk } from '../support/disk.ts';
import { makeOlder, type Older } from '../support/older.ts';
import { differences, migrateWholly, refusedUntouched } from '../support/older-verdict.ts';
import { sessionIn } from '../support/session.ts';
import { filesBeside } from './cycle.ts';

const touch = (path: string): void => closeSync(openSync(path, 'w'));

/** Killed between the two renames of a file system without hard links: only the complete new database is there. */
function complete(t: TestContext): { directory: string; path: string; older: Older } {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const older = makeOlder(path, 'v6');
  migrateWholly(path);
  renameSync(path, `${path}.migrated`);
  return { directory, path, older };
}

function startOnce(t: TestContext, directory: string): void {
  const session = sessionIn(t, directory);
  session.open();
  session.close();
}

test('a complete new database takes the place of an empty file that something made meanwhile', (t) => {
  const { directory, path, older } = complete(t);
  touch(path);
  startOnce(t, directory);
  assert.deepEqual(differences(path, older.runs), []);
  assert.ok(!readdirSync(directory).includes('telemetry.sqlite.migrated'));
});

test('a journal of the empty file is not taken for one of the complete new database', (t) => {
  const { directory, path, older } = complete(t);
  const db = new Database(path);
  db.pragma('cache_size = 1');
  db.exec('BEGIN; CREATE TABLE t (x)');
  for (let row = 0; row < 100; row++) db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(4000));
  const journal = readFileSync(`${path}-journal`);
  assert.notEqual(journal[0], 0, 'it is hot');
  db.exec('ROLLBACK');
  db.close();
  touch(path);
  writeFileSync(`${path}-journal`, journal);
  startOnce(t, directory);
  assert.deepEqual(differences(path, older.runs), []);
});

test('where nothing was migrated, an empty file stays one', (t) => {
  const path = join(folder(t), 't.sqlite');
  touch(path);
  touch(`${path}.migrated`);
  repairInterrupted(path);
  assert.deepEqual(readdirSync(dirname(path)).sort(), ['t.sqlite', 't.sqlite.migrated']);
});

/** Files that somebody else has given one of our names. */
const OTHERS: readonly (readonly [what: string, make: (path: string) => unknown])[] = [
  ['a text', (path) => writeFileSync(path, 'notes on what was migrated\n')],
  ['a folder', (path) => mkdirSync(path)],
  [
    'a database of something else',
    (path) => {
      const db = new Database(path);
      db.exec('CREATE TABLE notes (x)');
      db.close();
    },
  ],
  ['an older database', (path) => makeOlder(path, 'v6')],
];

for (const [what, make] of OTHERS) {
  test(`${what} by the name of a complete database is not put in the place of a missing one`, (t) => {
    const directory = folder(t);
    const { path } = databaseConfig(directory);
    make(`${path}.migrated`);
    startOnce(t, directory);
    assert.deepEqual(differences(path, []), []);
    assert.ok(readdirSync(directory).includes('telemetry.sqlite.migrated'));
  });

  test(`${what} beside a healthy database stays, whatever its name`, (t) => {
    const directory = folder(t);
    const { db, path } = fileDatabase(t, directory);
    db.close();
    for (const suffix of ['.migrated', '.migrating', '.migrating-journal', '.v8.backup']) make(path + suffix);
    const before = readdirSync(directory);
    startOnce(t, directory);
    assert.deepEqual(
      before.filter((name) => !readdirSync(directory).includes(name)),
      [],
    );
  });
}

for (const suffix of ['.migrating', '.migrated']) {
  for (const [what, make] of OTHERS.slice(0, 2)) {
    test(`${what} named ${suffix} keeps a database from being migrated, and is kept`, (t) => {
      const path = join(folder(t), 't.sqlite');
      makeOlder(path, 'v6');
      make(path + suffix);
      const why = new RegExp(`while there is ${path}${suffix}, which no migration has made\\. Give that another name`);
      const before = filesBeside(path);
      assert.throws(() => migrateWholly(path), { code: 'refused', message: why });
      assert.deepEqual(filesBeside(path), before);
    });
  }
}

test('what a killed attempt has half built is replaced, even where a power cut has left zeros of it', (t) => {
  for (const content of ['', '\0'.repeat(8192), 'SQLite format 3\0 and no more']) {
    const path = join(folder(t), 't.sqlite');
    const older = makeOlder(path, 'v6');
    for (const suffix of ['.migrating', '.migrated']) writeFileSync(path + suffix, content);
    migrateWholly(path);
    assert.deepEqual(differences(path, older.runs), []);
    assert.deepEqual(filesBeside(path), ['t.sqlite', 't.sqlite.v6.backup']);
  }
});

test('what a killed attempt has left takes no space from the next one', (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 't.sqlite');
  const older = makeOlder(path, 'v6', 60);
  writeFileSync(`${path}.migrating`, Buffer.alloc(2_500_000));
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});

test('a second name that its owner gave the database is not taken from it', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  linkSync(path, `${path}.very-important.backup`);
  repairInterrupted(path);
  refusedUntouched(path, /has 2 names \(hard links\)/);
});

test('an older database beside a complete new one is migrated anew: it may have got runs since', (t) => {
  const { path } = complete(t);
  const older = makeOlder(path, 'v6', 90);
  copyFileSync(`${path}.migrated`, `${path}.migrating`);
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});
