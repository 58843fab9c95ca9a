/** What an earlier program has left in a journal, however it ended. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { survey } from '../../src/actors/writer/older/survey.ts';
import { databaseConfig, folder } from '../support/database.ts';
import { makeOlder, type Older } from '../support/older.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';
import { sessionIn } from '../support/session.ts';
import { filesBeside, migrateInChild } from './cycle.ts';

const DYING = fileURLToPath(new URL('../support/older-dying.ts', import.meta.url));

/** A database whose program was killed in the midst of a transaction. */
async function killedIn(path: string, size: 'small' | 'large'): Promise<Older> {
  const older = makeOlder(path, 'v6', 300);
  const child = spawn(process.execPath, [DYING, path, size], { stdio: 'inherit' });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  assert.equal(signal, 'SIGKILL');
  return older;
}

/** A database whose program kept its journal after each commit. */
function keptIn(path: string, mode: 'PERSIST' | 'TRUNCATE'): Older {
  const older = makeOlder(path, 'v6');
  const db = new Database(path);
  db.pragma(`journal_mode = ${mode}`);
  db.exec("UPDATE agent_runs SET host = 'other' WHERE id = 1");
  db.exec("UPDATE agent_runs SET host = 'host-1' WHERE id = 1");
  db.close();
  return older;
}

const JOURNALS: readonly (readonly [name: string, make: (path: string) => Older | Promise<Older>, bytes: boolean])[] = [
  ['a program was killed before its journal was begun', (path) => killedIn(path, 'small'), true],
  ['a program keeps its journal and blanks its beginning', (path) => keptIn(path, 'PERSIST'), true],
  ['a program keeps its journal and empties it', (path) => keptIn(path, 'TRUNCATE'), false],
];

for (const [name, make, bytes] of JOURNALS) {
  test(`${name}: the database is migrated, and no journal lies beside the new one`, async (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = await make(path);
    assert.equal(statSync(`${path}-journal`).size > 0, bytes);
    assert.equal(readFileSync(`${path}-journal`)[0] ?? 0, 0, 'it is not hot');
    assert.equal(survey(path).rows, older.runs.length);
    migrateWholly(path);
    assert.deepEqual(differences(path, older.runs), []);
    assert.deepEqual(filesBeside(path), ['t.sqlite', 't.sqlite.v6.backup']);
  });

  test(`${name}: a start migrates the database`, async (t) => {
    const directory = folder(t);
    const { path } = databaseConfig(directory);
    const older = await make(path);
    const session = sessionIn(t, directory);
    session.open();
    session.close();
    assert.deepEqual(differences(path, older.runs), []);
  });
}

test('a program was killed after it had overwritten pages: they are put back, and then migrated', async (t) => {
  const path = join(folder(t), 't.sqlite');
  const older = await killedIn(path, 'large');
  const reader = new Database(path, { readonly: true });
  t.after(() => reader.close());
  assert.throws(() => reader.prepare('SELECT 1 FROM agent_runs').get(), { code: 'SQLITE_READONLY_ROLLBACK' });
  reader.close();
  const { migrated } = migrateWholly(path);
  assert.equal(migrated.rows, older.runs.length);
  assert.deepEqual(differences(path, older.runs), []);
  assert.deepEqual(filesBeside(path), ['t.sqlite', 't.sqlite.v6.backup']);
});

for (const [moment, left] of [
  ['exchange:1', ['t.sqlite', 't.sqlite.migrating']],
  ['exchange:2', ['t.sqlite', 't.sqlite.migrating', 't.sqlite.v6.backup']],
  ['exchange:2,no-links', ['t.sqlite', 't.sqlite.migrated']],
  ['exchange:3,no-links', ['t.sqlite.migrated', 't.sqlite.v6.backup']],
] as const) {
  test(`killed at ${moment}, a migration has left no journal that the new database could find`, async (t) => {
    const path = join(folder(t), 't.sqlite');
    const older = keptIn(path, 'PERSIST');
    assert.equal((await migrateInChild(path, moment)).signal, 'SIGKILL');
    assert.deepEqual(filesBeside(path), [...left]);
    await migrateInChild(path, moment.endsWith('no-links') ? ',no-links' : '');
    assert.deepEqual(differences(path, older.runs), []);
    assert.deepEqual(filesBeside(path), ['t.sqlite', 't.sqlite.v6.backup']);
  });
}

test('a refused database keeps its journal', (t) => {
  const path = join(folder(t), 't.sqlite');
  keptIn(path, 'PERSIST');
  mkdirSync(`${path}.migrating`);
  const before = readFileSync(`${path}-journal`);
  assert.throws(() => migrateWholly(path), { code: 'refused' });
  assert.deepEqual(readFileSync(`${path}-journal`), before);
  assert.deepEqual(readdirSync(dirname(path)).sort(), ['t.sqlite', 't.sqlite-journal', 't.sqlite.migrating']);
});
