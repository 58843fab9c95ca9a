import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Line } from '../../src/actors/spool/lines.ts';
import { type BackupFile, listBackup, readBackup } from '../../src/offline/ndjson.ts';
import { folder } from '../support/database.ts';

const MAX_LINE = 20;

async function linesOf(file: BackupFile, maxLineBytes = MAX_LINE): Promise<Line[]> {
  const lines: Line[] = [];
  const problem = await readBackup(file, maxLineBytes, (some) => lines.push(...some));
  assert.equal(problem, undefined);
  return lines;
}

test('a compressed file has the lines of the same file as it was', async (t) => {
  const directory = folder(t);
  const line = fc.oneof(fc.string({ maxLength: 30 }), fc.constant(''), fc.constant('x'.repeat(70_000)));
  const text = fc
    .array(line, { maxLength: 8 })
    .map((lines) => lines.map((part) => part.replaceAll('\n', '')).join('\n'));
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      writeFileSync(join(directory, 'a.ndjson'), content);
      writeFileSync(join(directory, 'a.ndjson.gz'), gzipSync(content));
      const [plain, packed] = await Promise.all((listBackup(directory) ?? []).map((file) => linesOf(file)));
      const wanted = content.split('\n').map((part) => Buffer.byteLength(part));
      if (wanted.at(-1) === 0) wanted.pop();
      assert.deepEqual(
        plain?.map(({ length }) => length),
        wanted,
      );
      const seen = (lines: Line[] | undefined): unknown =>
        lines?.map(({ offset, next, length, bytes }) => [
          offset,
          next,
          length,
          length > MAX_LINE || Buffer.from(bytes).toString(),
        ]);
      assert.deepEqual(seen(packed), seen(plain));
    }),
    { numRuns: 60 },
  );
});

test('what is appended after the look is not read', async (t) => {
  const directory = folder(t);
  const path = join(directory, 'events_20260110.ndjson');
  writeFileSync(path, 'one\ntwo\n');
  const files = listBackup(directory) ?? [];
  appendFileSync(path, 'three\n');
  const lines = await linesOf(files[0] as BackupFile);
  assert.deepEqual(
    lines.map(({ bytes }) => Buffer.from(bytes).toString()),
    ['one', 'two'],
  );
});

test('only NDJSON files are listed, and no folder is told from an empty one', (t) => {
  const directory = folder(t);
  for (const name of ['b.ndjson', 'a.ndjson.gz', 'notes.txt', 'ndjson']) writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'folder.ndjson'));
  const names = listBackup(directory)?.map(({ path }) => path.slice(directory.length + 1));
  assert.deepEqual(names, ['a.ndjson.gz', 'b.ndjson']);
  assert.equal(listBackup(join(directory, 'nowhere')), undefined);
});

test('a file that is gone is named', async (t) => {
  const path = join(folder(t), 'gone.ndjson');
  const problem = await readBackup({ path, size: 5, mtimeMs: 0 }, MAX_LINE, () => assert.fail());
  assert.match(problem ?? '', /gone\.ndjson: ENOENT/);
});
