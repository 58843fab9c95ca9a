/** What a kill leaves in the midst of a restore, and what the next one makes of it. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, linkSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readChangeCounter } from '../../src/actors/writer/header.ts';
import { inspect } from '../../src/actors/writer/inspect.ts';
import { readMigrations } from '../../src/actors/writer/migrate.ts';
import { Rollups } from '../../src/actors/writer/rollups.ts';
import { TelemetryError } from '../../src/errors.ts';
import { recover } from '../../src/offline/version.ts';
import { restore } from '../../src/offline/restore.ts';
import { settle } from '../../src/offline/settle.ts';
import { folder } from '../support/database.ts';
import { digestsOf, madeWithHotJournal } from '../support/files.ts';
import { behindOurBack } from '../support/session.ts';
import { closedDatabase } from './closed.ts';

interface Place {
  path: string;
  backup: string;
  /** Restores now, and looks. */
  again: () => void;
}

const EARLIER = 'replaced-20260110T120000Z';

/** A database with a hot journal (50 runs), and a backup (7). */
function place(t: TestContext): Place {
  const directory = folder(t);
  const backup = closedDatabase(folder(t), 7);
  const path = join(directory, 'telemetry.sqlite');
  madeWithHotJournal(path);
  const original = [readFileSync(path), readFileSync(`${path}-journal`)];
  const again = (): void => {
    const { replaced, runs } = restore(backup, { path, lockFile: undefined });
    assert.equal(runs, 7);
    assert.deepEqual(
      [readFileSync(String(replaced)), readFileSync(`${replaced}-journal`)],
      original,
      'the old set is whole',
    );
    const names = readdirSync(directory).filter(
      (name) => name.startsWith('telemetry.sqlite') && !name.includes('origin'),
    );
    assert.deepEqual(
      names.sort(),
      ['', '.lock', `.${String(replaced).split('.').at(-1)}`, `.${String(replaced).split('.').at(-1)}-journal`]
        .map((rest) => `telemetry.sqlite${rest}`)
        .sort(),
    );
    assert.equal(
      behindOurBack(path, (db) => db.prepare('SELECT count(*) FROM agent_runs').pluck().get()),
      7,
    );
  };
  return { path, backup, again };
}

test('killed while it copied, the second restore copies anew', (t) => {
  const { path, again } = place(t);
  writeFileSync(`${path}.restoring`, 'half');
  writeFileSync(`${path}.restoring-journal`, 'half');
  again();
});

test('killed while it copied, an older database that an earlier restore kept stays alone', (t) => {
  const { path, backup } = place(t);
  writeFileSync(`${path}.restoring`, 'half');
  writeFileSync(`${path}.${EARLIER}`, 'kept');
  const { replaced } = restore(backup, { path, lockFile: undefined });
  assert.notEqual(replaced, `${path}.${EARLIER}`);
  assert.equal(readFileSync(`${path}.${EARLIER}`, 'utf8'), 'kept');
  assert.ok(existsSync(`${replaced}-journal`));
});

test('killed when the old database had two names, no service starts, and the second restore goes on with that name', (t) => {
  const { path, backup, again } = place(t);
  copyFileSync(backup, `${path}.restoring`);
  linkSync(path, `${path}.${EARLIER}`);
  assert.throws(
    () => inspect(path, readMigrations()),
    /is just being restored, or that was interrupted\. Run local-telemetry restore again/,
  );
  again();
  assert.ok(existsSync(`${path}.${EARLIER}`));
});

test('killed when the journal was aside already, no service starts, and the second restore goes on', (t) => {
  const { path, backup, again } = place(t);
  copyFileSync(backup, `${path}.restoring`);
  linkSync(path, `${path}.${EARLIER}`);
  renameSync(`${path}-journal`, `${path}.${EARLIER}-journal`);
  assert.throws(
    () => inspect(path, readMigrations()),
    /is just being restored, or that was interrupted\. Run local-telemetry restore again/,
  );
  again();
  assert.ok(existsSync(`${path}.${EARLIER}`));
});

test('killed where a file cannot have two names, the journal still finds its database', (t) => {
  const { path, backup, again } = place(t);
  copyFileSync(backup, `${path}.restoring`);
  renameSync(path, `${path}.${EARLIER}`);
  assert.throws(() => inspect(path, readMigrations()), /is just being restored/, 'no start makes an empty one');
  again();
  assert.ok(existsSync(`${path}.${EARLIER}`));
});

test('a journal without its database never gets to the restored one', (t) => {
  const { path, backup } = place(t);
  renameSync(path, `${path}.elsewhere`);
  const { replaced } = restore(backup, { path, lockFile: undefined });
  assert.deepEqual([existsSync(`${path}-journal`), existsSync(`${replaced}-journal`)], [false, true]);
});

test('two restores in one second keep both old databases', (t) => {
  const { path, backup } = place(t);
  recover(path);
  const now = new Date('2026-01-10T12:00:00Z');
  const names = [1, 2].map(() => restore(backup, { path, lockFile: undefined }, now).replaced);
  assert.deepEqual(names, [`${path}.${EARLIER}`, `${path}.${EARLIER}-2`]);
});

/** The rows of rollup_ever as text, and whether the next start trusts the counts. */
const everIn = (path: string): [string, boolean] => {
  const counter = readChangeCounter(path);
  return behindOurBack(path, (db) => [
    db
      .prepare("SELECT group_concat(agent_name || ' ' || runs, ', ' ORDER BY id) FROM rollup_ever")
      .pluck()
      .get() as string,
    isDeepStrictEqual(new Rollups(db).state(), { changeCounter: counter, trusted: true }),
  ]);
};

/** A backup of 2 runs of a and 3 of b, and a database that has counted more of a and of c, fewer of b. */
function counted(t: TestContext): { path: string; backup: string; database: { path: string; lockFile: undefined } } {
  const path = closedDatabase(folder(t), 7, { agent_name: 'a' });
  behindOurBack(path, (db) =>
    db.exec(`INSERT INTO rollup_ever (agent_name, job_type, status, runs) SELECT 'b', job_type, status, 1 FROM rollup_ever;
      INSERT INTO rollup_ever (agent_name, job_type, status, runs) SELECT 'c', job_type, status, 9 FROM rollup_ever WHERE id = 1`),
  );
  const backup = closedDatabase(folder(t), 3, { agent_name: 'b' });
  behindOurBack(backup, (db) =>
    db.exec(
      "INSERT INTO rollup_ever (agent_name, job_type, status, runs) SELECT 'a', job_type, status, 2 FROM rollup_ever",
    ),
  );
  settle(backup);
  return { path, backup, database: { path, lockFile: undefined } };
}

test('what Prometheus counts never falls by a restore, and the next start trusts it', (t) => {
  const { path, backup, database } = counted(t);
  const { replaced } = restore(backup, database);
  assert.deepEqual(everIn(path), ['b 3, a 7, c 9', true]);
  assert.deepEqual(everIn(backup), ['b 3, a 2', true], 'the backup is as it was');
  restore(String(replaced), database);
  assert.deepEqual(everIn(path)[0], 'a 7, b 3, c 9');
});

test('what Prometheus counts is kept by a second restore, whatever names the killed one left', (t) => {
  const two = counted(t);
  linkSync(two.path, `${two.path}.${EARLIER}`);
  const moved = counted(t);
  renameSync(moved.path, `${moved.path}.${EARLIER}`);
  for (const { path, backup, database } of [two, moved]) {
    writeFileSync(`${path}.restoring`, 'half');
    restore(backup, database);
    assert.deepEqual(everIn(path), ['b 3, a 7, c 9', true]);
  }
});

test('a database that cannot be read, or does not keep what ever came, is replaced all the same', (t) => {
  const spoilt = [
    (path: string) => writeFileSync(path, 'no database'),
    (path: string) => behindOurBack(path, (db) => db.exec('DROP TABLE rollup_ever')),
    (path: string) => behindOurBack(path, (db) => db.exec("UPDATE rollup_ever SET runs = 'many'")),
  ];
  for (const spoil of spoilt) {
    const { path, backup, database } = counted(t);
    spoil(path);
    restore(backup, database);
    assert.deepEqual(everIn(path), ['b 3, a 2', true]);
  }
});

test('a backup that does not keep what ever came is a good one', (t) => {
  const { path, backup, database } = counted(t);
  behindOurBack(backup, (db) => db.exec('DROP TABLE rollup_ever'));
  assert.equal(restore(backup, database).runs, 3);
  assert.equal(existsSync(`${path}.restoring`), false);
});

test('what is no backup is refused, and the database is as it was', (t) => {
  const directory = folder(t);
  const path = closedDatabase(directory, 5);
  const backup = closedDatabase(folder(t), 12);
  const made = (name: string, make: (file: string) => void): string => {
    make(join(directory, name));
    return join(directory, name);
  };
  const cases: [file: string, why: RegExp][] = [
    [join(directory, 'missing.sqlite'), /missing\.sqlite is not there/],
    [directory, /is not a file/],
    [path, /is the database itself/],
    [made('b.gz', (file) => writeFileSync(file, gzipSync(readFileSync(backup)))), /is compressed: gunzip it first/],
    [made('text', (file) => writeFileSync(file, 'a text, not a database')), /is not a SQLite database/],
    [made('cut', (file) => writeFileSync(file, readFileSync(backup).subarray(0, 20_480))), /is damaged/],
    [made('other', (file) => behindOurBack(file, (db) => db.exec('CREATE TABLE notes (x)'))), /holds no runs/],
    [
      made('newer', (file) => {
        copyFileSync(backup, file);
        behindOurBack(file, (db) => db.exec('INSERT INTO schema_migrations VALUES (99, 0, 0)'));
      }),
      /has schema version 99; this release knows versions up to 9/,
    ],
  ];
  const before = digestsOf(path);
  for (const [file, why] of cases) {
    const refused = (error: unknown): boolean => {
      assert.ok(error instanceof TelemetryError && error.code === 'refused');
      assert.match(error.message, why);
      assert.match(error.message, /The database is as it was\./);
      return true;
    };
    assert.throws(() => restore(file, { path, lockFile: undefined }), refused);
  }
  assert.deepEqual(digestsOf(path), before);
});
