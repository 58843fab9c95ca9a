import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../../../src/errors.ts';
import { aRecord, codesOf, create, databaseConfig, folder, groupOf, memoryDatabase } from '../../support/database.ts';
import { digestsOf, hasJournal, madeWithHotJournal, REFUSED } from '../../support/files.ts';
import { behindOurBack, rollupsIn, sessionIn } from '../../support/session.ts';

const countIn = (path: string): unknown =>
  behindOurBack(path, (db) => db.prepare('SELECT count(*) FROM agent_runs').pluck().get());
const messageOf = (outcome: Outcome<unknown> | undefined): string =>
  outcome?.ok === false ? outcome.error.message : 'ok';

test('opening makes the folder and the database, and tells its settings as read back', (t) => {
  const directory = join(folder(t), 'a', 'b');
  const { path } = databaseConfig(directory);
  const session = sessionIn(t, directory);
  assert.deepEqual(session.open(), {
    path,
    realPath: realpathSync(path),
    journalMode: 'DELETE',
    synchronous: 'FULL',
    sqliteVersion: String(memoryDatabase().prepare('SELECT sqlite_version()').pluck().get()),
    warnings: [],
  });
  assert.equal(session.recounting, false);
  assert.deepEqual(codesOf(session.commit(groupOf(create(aRecord()), create(aRecord())))), ['ok', 'ok']);
  session.close();
  assert.equal(countIn(path), 2);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('EXTRA and WAL are what SQLite says when they were asked for', (t) => {
  const extra = sessionIn(t, folder(t), { synchronous: 'EXTRA' }).open();
  assert.deepEqual([extra.journalMode, extra.synchronous], ['DELETE', 'EXTRA']);
  const wal = sessionIn(t, folder(t), { journalMode: 'WAL' }).open();
  assert.deepEqual([wal.journalMode, wal.synchronous], ['WAL', 'FULL']);
});

test('a database goes from DELETE to WAL and back with its runs', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  for (const [index, journalMode] of (['DELETE', 'WAL', 'DELETE', 'WAL', 'WAL'] as const).entries()) {
    const session = sessionIn(t, directory, { journalMode });
    assert.equal(session.open().journalMode, journalMode);
    assert.deepEqual(codesOf(session.commit(groupOf(create(aRecord())))), ['ok']);
    session.close();
    assert.equal(countIn(path), index + 1);
    assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
  }
});

for (const [name, make, why] of REFUSED) {
  test(`${name} is not opened, not locked for good, and not a byte of it changed`, (t) => {
    const directory = folder(t);
    const { path } = databaseConfig(directory);
    make(path);
    const before = digestsOf(path);
    for (let attempt = 0; attempt < 2; attempt++) {
      const session = sessionIn(t, directory);
      assert.throws(() => session.open(), why);
      session.close();
    }
    assert.deepEqual(digestsOf(path), before);
  });
}

test('a folder in the place of the database is refused, with a remedy', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  mkdirSync(path);
  assert.throws(() => sessionIn(t, directory).open(), { code: 'refused', message: /TELEMETRY_DB_PATH/ });
});

test('a folder that cannot be made is refused, with a remedy', (t) => {
  const directory = folder(t);
  writeFileSync(join(directory, 'file'), '');
  const session = sessionIn(t, join(directory, 'file', 'below'));
  assert.throws(() => session.open(), { code: 'refused', message: /Set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH/ });
});

test('a file without a byte becomes a database', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  writeFileSync(path, '');
  const session = sessionIn(t, directory);
  session.open();
  assert.deepEqual(codesOf(session.commit(groupOf(create(aRecord())))), ['ok']);
  session.close();
  assert.equal(countIn(path), 1);
});

test('a hot journal is rolled back, and the runs before it are there and counted', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const runs = madeWithHotJournal(path);
  const session = sessionIn(t, directory);
  session.open();
  session.close();
  assert.deepEqual([countIn(path), hasJournal(path)], [runs, false]);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('a path through a symbolic link is locked at its real place', (t) => {
  const directory = folder(t);
  const linked = join(folder(t), 'link');
  symlinkSync(directory, linked);
  sessionIn(t, linked).open();
  assert.equal(existsSync(join(directory, 'telemetry.sqlite.lock')), true);
  assert.throws(() => sessionIn(t, directory).open(), {
    code: 'refused',
    message: /is in use by the process with pid \d+ on host/,
  });
});

for (const [what, change] of [
  ['removed', (path: string) => rmSync(path)],
  ['replaced', (path: string) => (renameSync(path, `${path}.away`), writeFileSync(path, readFileSync(`${path}.away`)))],
] as const) {
  for (const [which, suffix] of [
    ['database', ''],
    ['lock file', '.lock'],
  ] as const) {
    test(`once the ${which} is ${what}, every command is refused and nothing is written`, (t) => {
      const directory = folder(t);
      const session = sessionIn(t, directory);
      session.open();
      const path = `${databaseConfig(directory).path}${suffix}`;
      change(path);
      const outcomes = session.commit(groupOf(create(aRecord()), create(aRecord())));
      assert.deepEqual(codesOf(outcomes), ['refused', 'refused']);
      assert.match(messageOf(outcomes[0]), /was removed or replaced .*Stopping; start the service again/);
      assert.throws(() => session.recount(0), { code: 'refused' });
    });
  }
}

test('a database that breaks is closed, and opened anew once it is well again', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const session = sessionIn(t, directory);
  session.open();
  const record = aRecord();
  assert.deepEqual(codesOf(session.commit(groupOf(create(record)))), ['ok']);
  const good = readFileSync(path);
  const bad = Buffer.from(good).fill(0xff, 4096);
  bad.writeUInt32BE(good.readUInt32BE(24) + 1, 24);
  // In place: the same file, with other bytes.
  writeFileSync(path, bad, { flag: 'r+' });
  const [outcome] = session.commit(groupOf(create(aRecord())));
  assert.match(messageOf(outcome), /^The database is damaged \(SQLITE_CORRUPT.*local-telemetry verify/);
  writeFileSync(path, good, { flag: 'r+' });
  const outcomes = session.commit(groupOf(create(aRecord()), create(record)));
  assert.deepEqual(codesOf(outcomes), ['ok', 'ok']);
  session.close();
  assert.equal(countIn(path), 2);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('a session may be closed twice, and without having been opened', (t) => {
  const directory = folder(t);
  const session = sessionIn(t, directory);
  session.close();
  session.open();
  session.close();
  session.close();
  assert.equal(existsSync(join(directory, 'telemetry.sqlite.lock.holder')), false);
  sessionIn(t, directory).open();
});

test('a session that is not the first of its process opens what the first one left', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const first = sessionIn(t, directory);
  first.open();
  first.commit(groupOf(create(aRecord())));
  first.close();
  const next = sessionIn(t, directory, {}, { first: false });
  next.open();
  assert.deepEqual(codesOf(next.commit(groupOf(create(aRecord())))), ['ok']);
  next.close();
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});
