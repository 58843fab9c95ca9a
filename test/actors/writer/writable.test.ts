/** A place that may not be written to is named before anything is made there, with its owner and the remedy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { locate } from '../../../src/actors/writer/place.ts';
import { DATABASE, reasonAgainst, userOf } from '../../../src/actors/writer/remedies.ts';
import { requireWritableDatabase } from '../../../src/actors/writer/writable.ts';
import { makeReadOnly, smallDisk } from '../../support/disk.ts';
import { temporaryDirectory } from '../../support/service.ts';

const isRoot = process.getuid?.() === 0;
const UID = isRoot ? 1000 : (process.getuid?.() ?? 0);
const GID = isRoot ? 1000 : (process.getgid?.() ?? 0);
const USER = `${UID}:${GID}`;
const SESSION = fileURLToPath(new URL('../../../src/actors/writer/session.ts', import.meta.url));

/** Opens each path as the writer does, in one process of another user where this one is root's. */
const OPENING = `
  const { Session } = await import(${JSON.stringify(SESSION)});
  const { Gate } = await import(${JSON.stringify(SESSION)}.replace('writer/session', 'gate'));
  const { loadConfig } = await import(${JSON.stringify(SESSION)}.replace('actors/writer/session', 'config'));
  const told = JSON.parse(process.argv[1]).map((settings) => {
    const { database, techniques } = loadConfig(settings, null);
    const session = new Session({ database, techniques, first: false }, new Gate());
    try { session.open(); return 'opened'; } catch (error) { return error.code + ': ' + error.message; } finally { session.close(); }
  });
  console.log(JSON.stringify(told));`;

function opening(places: readonly (string | Record<string, string>)[]): string[] {
  const settings = places.map((one) => (typeof one === 'string' ? { TELEMETRY_DB_PATH: one } : one));
  const words = ['--input-type=module', '--no-warnings', '-e', OPENING, JSON.stringify(settings)];
  const options = { encoding: 'utf8', cwd: '/', ...(isRoot && { uid: UID, gid: GID }) } as const;
  return JSON.parse(execFileSync(process.execPath, words, options)) as string[];
}

/** Whether a process of the other user finds the code. */
function isReadable(path: string): boolean {
  if (!isRoot) return true;
  try {
    execFileSync('/bin/sh', ['-c', 'test -r "$1"', 'sh', path], { uid: UID, gid: GID, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A folder of the user's with an empty database and its lock, and what is done to it. */
function place(folder: string, name: string, spoil: (db: string) => void): string {
  const path = join(folder, name, 'db', 't.sqlite');
  mkdirSync(join(folder, name, 'db'), { recursive: true });
  for (const file of [path, `${path}.lock`]) new Database(file).exec('VACUUM').close();
  const all = [join(folder, name), join(folder, name, 'db'), path, `${path}.lock`];
  if (isRoot) for (const one of all) chownSync(one, UID, GID);
  spoil(path);
  return path;
}

test(
  'what may not be written to is refused by its name, with the mode that is missing',
  { skip: process.platform === 'win32' },
  (t) => {
    if (!isReadable(SESSION)) return t.skip('needs a checkout that another user may read');
    const folder = temporaryDirectory(t);
    chmodSync(folder, 0o755);
    const own = [
      place(folder, 'own folder', (db) => chmodSync(join(db, '..'), 0o555)),
      place(folder, 'own database', (db) => chmodSync(db, 0o444)),
      place(folder, 'own lock', (db) => chmodSync(`${db}.lock`, 0o400)),
      place(folder, 'well', () => undefined),
    ];
    const told = opening(own);
    // So that it can be removed after the test.
    chmodSync(join(own[0] as string, '..'), 0o755);
    const wanted = own.map((path) => `refused: This process runs as user ${USER} and may not write to ${path}`);
    const chmod = (mode: string, path: string): string =>
      `: its mode is ${mode}. Give its owner all rights: chmod u+rwX '${path}'`;
    assert.deepEqual(told, [
      wanted[0]?.replace('/t.sqlite', chmod('0555', join(own[0] as string, '..'))),
      `${wanted[1]}${chmod('0444', own[1] as string)}`,
      `${wanted[2]}.lock${chmod('0400', `${own[2]}.lock`)}`,
      'opened',
    ]);
    assert.deepEqual(
      readdirSync(join(own[0] as string, '..')).sort(),
      ['t.sqlite', 't.sqlite.lock'],
      'nothing was made',
    );
  },
);

/** What is said behind "This process runs as user 1000:1000 and may not"; a folder above all is left out. */
const told = (folder: string, places: Parameters<typeof opening>[0]): string[] =>
  opening(places).map((text) =>
    text.replace(/^refused: This process runs as user 1000:1000 and may not /, '').replaceAll(`${folder}/`, ''),
  );
const CONTAINER = ' (of a container: on the host, where it is mounted from).';
const GIVE = 'If nothing else uses it, give it to this user: chown 1000:1000';
const OWN = 'Make a folder of its own: install -d -o 1000 -g 1000';

/** A folder of root's that others may enter; undefined, and the test skipped, where nothing can be given away. */
function foreignFolder(t: TestContext): string | undefined {
  if (!isRoot) return t.skip('needs root, to give files away') as undefined;
  if (!isReadable(SESSION)) return t.skip('needs a checkout that another user may read') as undefined;
  const folder = temporaryDirectory(t);
  chmodSync(folder, 0o755);
  return folder;
}

test('files of another user are refused with their owner, who comes first, and with who may take them over', (t) => {
  const folder = foreignFolder(t);
  if (folder === undefined) return;
  const places = [
    // SQLite opens such a file without a word, and could store nothing in it.
    place(folder, 'database', (db) => chownSync(db, 0, 0)),
    place(folder, 'two', (db) => {
      chownSync(db, 0, 0);
      writeFileSync(`${db}-journal`, '');
    }),
    // SQLite takes no exclusive lock on it, and says that it did.
    place(folder, 'lock', (db) => chownSync(`${db}.lock`, 0, 0)),
    place(folder, "guest's", (db) => {
      chownSync(db, 1234, 5678);
      chmodSync(db, 0o600);
    }),
  ];
  const quoted = (name: string): string => `'${folder}/${name}'`.replaceAll(`${folder}/`, '');
  assert.deepEqual(told(folder, places), [
    `write to database/db/t.sqlite: it belongs to 0:0, mode 0644. ${GIVE} ${quoted('database/db/t.sqlite')}`,
    `write to two/db/t.sqlite: it belongs to 0:0, mode 0644. ${GIVE} ${quoted('two/db/t.sqlite')} ${quoted('two/db/t.sqlite-journal')}`,
    `write to lock/db/t.sqlite.lock: it belongs to 0:0, mode 0644. ${GIVE} ${quoted('lock/db/t.sqlite.lock')}`,
    `write to guest's/db/t.sqlite: it belongs to 1234:5678, mode 0600. Run this as its owner, of a container with --user 1234:5678. Or else: ${GIVE} 'guest'\\''s/db/t.sqlite'`,
  ]);
});

test('a folder is given away only where nobody else has anything in it, and never with what is below', (t) => {
  const folder = foreignFolder(t);
  if (folder === undefined) return;
  const own = (name: string, ...entries: string[]): string => {
    mkdirSync(join(folder, name));
    for (const entry of entries) mkdirSync(join(folder, name, entry));
    return join(folder, name);
  };
  const places = [
    place(folder, 'only', (db) => chownSync(join(db, '..'), 0, 0)),
    join(own('shared', 'cache', 'db'), 't.sqlite'),
    join(own('shared twice', 'cache', 'local-telemetry', 'local-telemetry-data'), 't.sqlite'),
    { TELEMETRY_BASE_DIR: own('volume', 'lost+found') },
    { TELEMETRY_BASE_DIR: join(own('empty'), 'new', 'base') },
    { TELEMETRY_BASE_DIR: join(own('deep'), 'db') },
    '/usr/share/t.sqlite',
    '/var/t.sqlite',
  ];
  const at = (name: string): string => `write to ${name}: it belongs to 0:0, mode 0755.`;
  assert.deepEqual(told(folder, places), [
    `${at('only/db')} ${GIVE} 'only/db'${CONTAINER}`,
    `${at('shared')} ${OWN} 'shared/local-telemetry', and set TELEMETRY_DB_PATH to a file in it.`,
    `${at('shared twice')} Set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH to a place this user may write to; of a container, mount such a one.`,
    `${at('volume')} ${GIVE} 'volume'${CONTAINER}`,
    `${at('empty')} ${OWN} 'empty/new'${CONTAINER}`,
    `${at('deep')} ${OWN} 'deep/db'${CONTAINER}`,
    `${at('/usr/share')} ${OWN} '/usr/share/local-telemetry', and set TELEMETRY_DB_PATH to a file in it.`,
    `${at('/var')} ${OWN} '/var/local-telemetry', and set TELEMETRY_DB_PATH to a file in it.`,
  ]);
});

test('behind a link it is the real folder that is written to', (t) => {
  const folder = foreignFolder(t);
  if (folder === undefined) return;
  const linked = (name: string, target: string): string => {
    mkdirSync(join(folder, name));
    symlinkSync(target, join(folder, name, 't.sqlite'));
    if (name === 'mine') chownSync(join(folder, name), UID, GID);
    return join(folder, name, 't.sqlite');
  };
  const path = place(folder, 'well', () => undefined);
  mkdirSync(join(folder, 'closed'), { mode: 0o700 });
  symlinkSync('closed/further', join(folder, 'way'));
  const places = [
    linked("root's", path),
    linked('new', join(path, '..', 'new.sqlite')),
    linked('mine', join(folder, "root's", 'other.sqlite')),
    join(folder, 'closed', 'db', 't.sqlite'),
    join(folder, 'way', 'db', 't.sqlite'),
  ];
  const closed =
    'look into closed: it belongs to 0:0, mode 0700. Set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH to a place this user may write to; of a container, mount such a one.';
  assert.deepEqual(told(folder, places), [
    'opened',
    'opened',
    `write to root's: it belongs to 0:0, mode 0755. ${OWN} 'root'\\''s/local-telemetry', and set TELEMETRY_DB_PATH to a file in it.`,
    closed,
    closed,
  ]);
});

test('a lock file elsewhere is named by its own setting', (t) => {
  const folder = foreignFolder(t);
  if (folder === undefined) return;
  mkdirSync(join(folder, 'locks'));
  mkdirSync(join(folder, 'closed'), { mode: 0o700 });
  const path = place(folder, 'well', () => undefined);
  const places = ['locks/t.lock', 'locks/new/t.lock', 'closed/t.lock'].map((lock) => ({
    TELEMETRY_DB_PATH: path,
    TELEMETRY_LOCK_FILE: join(folder, lock),
  }));
  const elsewhere = 'Set TELEMETRY_LOCK_FILE to a place this user may write to, or leave it unset.';
  assert.deepEqual(told(folder, places), [
    `write to locks: it belongs to 0:0, mode 0755. ${elsewhere}`,
    `write to locks: it belongs to 0:0, mode 0755. ${elsewhere}`,
    `look into closed: it belongs to 0:0, mode 0700. ${elsewhere}`,
  ]);
});

test('only what is written to in a journal mode must be writable', (t) => {
  const folder = foreignFolder(t);
  if (folder === undefined) return;
  const stale = (name: string, files: Record<string, string>): string =>
    place(folder, name, (db) => {
      for (const [end, text] of Object.entries(files)) writeFileSync(db + end, text);
    });
  const wal = (path: string): Record<string, string> => ({ TELEMETRY_DB_PATH: path, TELEMETRY_DB_JOURNAL_MODE: 'WAL' });
  const places = [
    stale('index', { '-shm': '' }),
    stale('empty', { '-shm': '', '-wal': '' }),
    stale('wal', { '-shm': '', '-wal': 'x' }),
    wal(stale('index in WAL', { '-shm': '' })),
    stale('hot', { '-journal': 'x' }),
  ];
  const refused = (name: string, ...ends: string[]): string =>
    `write to ${name}/db/t.sqlite${ends[0]}: it belongs to 0:0, mode 0644. ${GIVE} ${ends.map((end) => `'${name}/db/t.sqlite${end}'`).join(' ')}`;
  assert.deepEqual(told(folder, places), [
    'opened',
    'opened',
    refused('wal', '-wal', '-shm'),
    refused('index in WAL', '-shm'),
    refused('hot', '-journal'),
  ]);
});

test('where users have no numbers, the refusal names none', (t) => {
  const getuid = Object.getOwnPropertyDescriptor(process, 'getuid');
  Object.defineProperty(process, 'getuid', { value: undefined, configurable: true });
  t.after(() => Object.defineProperty(process, 'getuid', getuid as PropertyDescriptor));
  const cause = Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
  const forbidden = { at: temporaryDirectory(t), cause, setting: DATABASE } as const;
  assert.equal(userOf(), undefined);
  assert.equal(
    reasonAgainst(forbidden, userOf()),
    'the system refuses it (EPERM: operation not permitted). Look for a mark against changes or a rule of the system, or set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH to another place.',
  );
});

test('a file system that is read-only is named as such, even to root', (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const path = join(disk, 'db', 't.sqlite');
  mkdirSync(join(disk, 'db'));
  writeFileSync(path, '');
  makeReadOnly(disk);
  const readOnly = (what: string): object => ({
    code: 'refused',
    message: new RegExp(
      `may not write to ${what}: its file system is read-only\\. Mount it for writing, or set TELEMETRY_BASE_DIR or TELEMETRY_DB_PATH to another place\\.$`,
    ),
  });
  assert.throws(() => locate(path), readOnly(join(disk, 'db')));
  assert.throws(() => locate(join(disk, 'new', 'db', 't.sqlite')), readOnly(disk));
  assert.throws(() => requireWritableDatabase(path, 'DELETE'), readOnly(path));
  assert.throws(() => accessSync(path, constants.W_OK), { code: 'EROFS' });
});
