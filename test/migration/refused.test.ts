import assert from 'node:assert/strict';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { migrateOlder } from '../../src/actors/writer/older/migrate.ts';
import { survey } from '../../src/actors/writer/older/survey.ts';
import { folder } from '../support/database.ts';
import { smallDisk } from '../support/disk.ts';
import { digestsOf, FOREIGN } from '../support/files.ts';
import { makeOlder } from '../support/older.ts';
import { differences, migrateWholly, refusedUntouched } from '../support/older-verdict.ts';

const sql =
  (text: string) =>
  (path: string): void => {
    const db = new Database(path);
    db.exec(text);
    db.close();
  };

/** What neither is surveyed nor migrated. */
const REFUSED: readonly (readonly [name: string, make: (path: string) => void, why: RegExp])[] = [
  ...FOREIGN,
  [
    'a newer database',
    sql(
      "CREATE TABLE agent_runs (run_id); CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES (3), ('v99')",
    ),
    /has schema version 99; this service knows versions up to 9. Install a newer local-telemetry\./,
  ],
  [
    'a database of something else',
    sql('CREATE TABLE notes (x)'),
    /is a SQLite database, but not of telemetry\. Set TELEMETRY_DB_PATH/,
  ],
  [
    'a database without a table',
    sql('CREATE TABLE t (x); DROP TABLE t'),
    /holds nothing to migrate\. Start the service/,
  ],
  [
    'a text',
    (path) => writeFileSync(path, 'run_id,status\n'.repeat(500)),
    /is not a SQLite database\. Set TELEMETRY_DB_PATH/,
  ],
  [
    'a file without a byte',
    (path) => writeFileSync(path, ''),
    /is empty: there is nothing to migrate\. Start the service/,
  ],
  ['nothing', () => undefined, /does not exist\. Set TELEMETRY_DB_PATH to the older database\./],
  ['a folder', (path) => mkdirSync(path), /is not a file\. Set TELEMETRY_DB_PATH to a file\./],
  [
    'a file of two names',
    (path) => {
      makeOlder(path, 'v6');
      linkSync(path, `${path}.other`);
    },
    /has 2 names \(hard links\)\. Remove the others, or copy it/,
  ],
];

const migrating = (path: string): void => {
  migrateWholly(path);
};

for (const [name, make, why] of REFUSED) {
  test(`${name} is refused, with a remedy, and not a byte of it changed`, (t) => {
    const directory = folder(t);
    const path = join(directory, 't.sqlite');
    make(path);
    const before = name === 'a folder' ? {} : digestsOf(path);
    for (const attempt of [survey, migrating]) {
      assert.throws(
        () => attempt(path),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'refused', error.stack);
          assert.match(error.message, why);
          assert.ok(error.message.includes(path) && error.message.endsWith('It was not changed.'), error.message);
          return true;
        },
      );
    }
    if (name !== 'a folder') assert.deepEqual(digestsOf(path), before);
  });
}

test('a damaged page is refused with what is wrong with it', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6', 300);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 0xab), 0, 4096, 4096 * 20);
  closeSync(file);
  refusedUntouched(path, /is damaged \(.+\)\. Restore a backup of it, or recover .* \.recover/);
});

test('a database cut off in the middle is refused', (t) => {
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6', 300);
  truncateSync(path, 4096 * 30);
  refusedUntouched(path, /is damaged \(/);
});

test('values that break what their table declares are no damage', (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = makeOlder(path, 'v6');
  const db = new Database(path);
  db.pragma('ignore_check_constraints = ON');
  db.exec("UPDATE agent_runs SET items_failed = -5, status = 'failed' WHERE id = 1");
  db.unsafeMode();
  db.pragma('writable_schema = ON');
  db.exec("UPDATE sqlite_schema SET sql = replace(sql, 'host TEXT', 'host TEXT NOT NULL') WHERE name = 'agent_runs'");
  db.exec(
    "UPDATE sqlite_schema SET sql = replace(sql, 'product TEXT', 'product TEXT NOT NULL') WHERE name = 'agent_runs'",
  );
  db.close();
  const { migrated } = migrateWholly(path);
  assert.equal(migrated.rows, older.runs.length);
  assert.deepEqual(migrated.repairs, { 'items_failed: negative': 1 });
});

test('a disk without the space for it is found out before anything is built', (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 't.sqlite');
  makeOlder(path, 'v6', 1200);
  refusedUntouched(
    path,
    /needs \d+\.\d MiB of free space beside it to be migrated, and there are \d+\.\d MiB\. Free space/,
  );
});

test('a disk that fills up meanwhile is refused, and what was built removed', (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 't.sqlite');
  const older = makeOlder(path, 'v6', 500);
  const filler = join(disk, 'filler');
  const fillingUp = (): void => {
    for (const { phase } of migrateOlder(path)) {
      if (phase === 'copy') fill(filler);
    }
  };
  refusedUntouched(path, /was not migrated, for the disk is full/, fillingUp);
  assert.deepEqual(readdirSync(disk), ['filler', 't.sqlite']);
  writeFileSync(filler, '');
  migrateWholly(path);
  assert.deepEqual(differences(path, older.runs), []);
});

test('a symbolic link is followed: what is made lies beside the database itself', (t) => {
  const directory = folder(t);
  const path = join(directory, 'real', 't.sqlite');
  mkdirSync(dirname(path));
  const older = makeOlder(path, 'v6');
  const link = join(directory, 'link.sqlite');
  symlinkSync(path, link);
  const { migrated } = migrateWholly(link);
  assert.equal(dirname(migrated.backup), dirname(path));
  assert.deepEqual(readdirSync(directory).sort(), ['link.sqlite', 'real']);
  assert.deepEqual(differences(link, older.runs), []);
});

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(65_536));
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}
