/** A place that may not be written to is named before anything is made there, with its owner and the remedy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, chownSync, constants, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { locate } from '../../../src/actors/writer/place.ts';
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
  const told = process.argv.slice(1).map((path) => {
    const { database, techniques } = loadConfig({ TELEMETRY_DB_PATH: path }, null);
    const session = new Session({ database, techniques, first: false }, new Gate());
    try { session.open(); return 'opened'; } catch (error) { return error.code + ': ' + error.message; } finally { session.close(); }
  });
  console.log(JSON.stringify(told));`;

function opening(paths: readonly string[]): string[] {
  const words = ['--input-type=module', '--no-warnings', '-e', OPENING, ...paths];
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
    const wanted = own.map((path) => `refused: The service runs as user ${USER} and may not write to ${path}`);
    const chmod = (mode: string, path: string): string =>
      `: its mode is ${mode}. Give its owner all rights: chmod u+rwX ${path}`;
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

test('what belongs to another user is refused with its owner, and with who may take it over', (t) => {
  if (!isRoot) return t.skip('needs root, to give files away');
  if (!isReadable(SESSION)) return t.skip('needs a checkout that another user may read');
  const folder = temporaryDirectory(t);
  chmodSync(folder, 0o755);
  const paths = [
    place(folder, 'folder', (db) => chownSync(join(db, '..'), 0, 0)),
    // SQLite opens such a file without a word, and could store nothing in it.
    place(folder, 'database', (db) => chownSync(db, 0, 0)),
    place(folder, 'journal', (db) => writeFileSync(`${db}-journal`, '')),
    // SQLite takes no exclusive lock on it, and says that it did.
    place(folder, 'lock', (db) => chownSync(`${db}.lock`, 0, 0)),
    place(folder, 'guest', (db) => {
      chownSync(db, 1234, 5678);
      chmodSync(db, 0o600);
    }),
    join(folder, 'missing', 'db', 't.sqlite'),
  ];
  const why = opening(paths).map((text) =>
    text.replace(/^refused: The service runs as user 1000:1000 and may not write to /, ''),
  );
  const at = (index: number, end = ''): string => (paths[index] as string) + end;
  const db = join(at(0), '..');
  const give = (what: string): string =>
    `Give it to the service: chown ${what} (of a container: on the host, where it is mounted from).`;
  assert.deepEqual(why, [
    `${db}: it belongs to 0:0, mode 0755. ${give(`-R 1000:1000 ${db}`)}`,
    `${at(1)}: it belongs to 0:0, mode 0644. ${give(`1000:1000 ${at(1)}*`)}`,
    `${at(2)}-journal: it belongs to 0:0, mode 0644. ${give(`1000:1000 ${at(2)}*`)}`,
    `${at(3)}.lock: it belongs to 0:0, mode 0644. ${give(`1000:1000 ${at(3)}.lock*`)}`,
    `${at(4)}: it belongs to 1234:5678, mode 0600. ${give(`1000:1000 ${at(4)}*`)} Or run the service as its owner, a container with --user 1234:5678.`,
    `${folder}: it belongs to 0:0, mode 0755. ${give(`1000:1000 ${folder}, or make the folder for it, install -d -o 1000 -g 1000 ${folder}/missing/db`)}`,
  ]);
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
      `may not write to ${what}: its file system is read-only\\. Mount it for writing, or set TELEMETRY_BASE_DIR to another place\\.$`,
    ),
  });
  assert.throws(() => locate(path), readOnly(join(disk, 'db')));
  assert.throws(() => locate(join(disk, 'new', 'db', 't.sqlite')), readOnly(disk));
  assert.throws(() => requireWritableDatabase(path), readOnly(path));
  assert.throws(() => accessSync(path, constants.W_OK), { code: 'EROFS' });
});
