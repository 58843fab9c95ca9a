import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { nextChangeCounter, readChangeCounter } from '../../../src/actors/writer/header.ts';
import { folder } from '../../support/database.ts';

test('a file that is missing, empty or shorter than a header has the counter 0', (t) => {
  const path = join(folder(t), 'x.sqlite');
  assert.equal(readChangeCounter(path), 0);
  writeFileSync(path, '');
  assert.equal(readChangeCounter(path), 0);
  writeFileSync(path, Buffer.alloc(27, 255));
  assert.equal(readChangeCounter(path), 0);
});

test('a file that cannot be read throws', (t) => {
  assert.throws(() => readChangeCounter(folder(t)), { code: 'EISDIR' });
});

test('the counter is big endian at byte 24', (t) => {
  const path = join(folder(t), 'x.sqlite');
  writeFileSync(
    path,
    Buffer.concat([Buffer.alloc(24, 255), Buffer.from([0x01, 0x02, 0x03, 0x04]), Buffer.alloc(72, 255)]),
  );
  assert.equal(readChangeCounter(path), 0x01020304);
});

test('every commit that writes adds one, and reading adds nothing', (t) => {
  const path = join(folder(t), 'x.sqlite');
  const within = (work: (db: Database.Database) => void): number => {
    const db = new Database(path);
    work(db);
    db.close();
    return readChangeCounter(path);
  };
  let expected = within((db) => db.exec('CREATE TABLE t (x)'));
  assert.ok(expected > 0);
  for (let count = 0; count < 3; count++) {
    expected = nextChangeCounter(expected);
    assert.equal(
      within((db) => db.exec('BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT')),
      expected,
    );
  }
  assert.equal(
    within((db) => db.prepare('SELECT * FROM t').all()),
    expected,
  );
  assert.equal(
    within((db) => db.exec('BEGIN IMMEDIATE; COMMIT')),
    expected,
  );
});

test('the counter wraps at 2^32', () => {
  assert.equal(nextChangeCounter(2 ** 32 - 1), 0);
  assert.equal(nextChangeCounter(7), 8);
});
