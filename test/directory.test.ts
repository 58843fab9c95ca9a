import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory } from '../src/directory.ts';
import { makeReadOnly, smallDisk } from './support/disk.ts';
import { temporaryDirectory } from './support/service.ts';

test('a directory is made with those above it, and the topmost new one is told', (t) => {
  const folder = temporaryDirectory(t);
  assert.equal(makeDirectory(join(folder, 'a', 'b', 'c')), join(folder, 'a'));
  assert.ok(statSync(join(folder, 'a', 'b', 'c')).isDirectory());
  assert.equal(makeDirectory(join(folder, 'a', 'b', 'd')), join(folder, 'a', 'b', 'd'));
  assert.equal(makeDirectory(join(folder, 'a', 'b')), undefined);
});

test('a file in the way is an error, below it as in its place', (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  assert.throws(() => makeDirectory(file), { code: 'EEXIST' });
  assert.throws(() => makeDirectory(join(file, 'below', 'it')), { code: 'ENOTDIR' });
});

test('where nothing can be made, the reason is told, and it does not take for ever', { timeout: 5_000 }, (t) => {
  if (process.platform === 'linux') assert.throws(() => makeDirectory('/proc/nowhere/at/all'), { code: 'ENOENT' });
  const disk = smallDisk(t);
  if (disk === undefined) return;
  makeReadOnly(disk);
  assert.throws(() => makeDirectory(join(disk, 'a', 'b')), { code: 'EROFS' });
});
