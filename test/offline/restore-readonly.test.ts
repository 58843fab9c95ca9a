import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../support/database.ts';
import { closedDatabase } from './closed.ts';

const RESTORE = fileURLToPath(new URL('../../src/offline/restore.ts', import.meta.url));
// Root may write to any file: the one who restores is another user.
const OTHER = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};

test('a backup that may only be read is restored by its owner, and stays as it is', (t) => {
  if (spawnSync('/bin/sh', ['-c', 'test -r "$0"', RESTORE], OTHER).status !== 0)
    return t.skip('needs a checkout that another user may read');
  const directory = join(folder(t), 'of another');
  mkdirSync(directory);
  const backup = join(directory, 'backup.sqlite');
  copyFileSync(closedDatabase(folder(t), 7), backup);
  chmodSync(backup, 0o400);
  chmodSync(dirname(directory), 0o755);
  if (OTHER.uid !== undefined) for (const path of [directory, backup]) chownSync(path, OTHER.uid, OTHER.gid);
  const code = `const { restore } = await import(${JSON.stringify(RESTORE)});
    console.log(restore(process.argv[1], { path: process.argv[2], lockFile: undefined }).runs);`;
  const words = ['--input-type=module', '--no-warnings', '-e', code, backup, join(directory, 'telemetry.sqlite')];
  assert.equal(execFileSync(process.execPath, words, { encoding: 'utf8', cwd: '/', ...OTHER }), '7\n');
  assert.equal(statSync(backup).mode & 0o777, 0o400);
  assert.equal(statSync(join(directory, 'telemetry.sqlite')).mode & 0o777, 0o600);
});
