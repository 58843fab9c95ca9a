import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder } from '../support/database.ts';
import { makeOlderFile, usualRuns } from '../support/older.ts';
import { freshCopy, judge, migrateInChild } from './cycle.ts';

const RUNS = 5_000;
/** Node, the code and SQLite's caches; a database of ten times the size needs no more than its caches more. */
const MAX_BYTES = 250 * 1024 ** 2;

test(`${RUNS} runs are migrated one by one, in bounded memory`, { timeout: 60_000 }, async (t) => {
  const directory = folder(t);
  const original = join(directory, 'original.sqlite');
  makeOlderFile(original, 'v6', RUNS);
  const path = freshCopy(original, join(directory, 'copy'));
  const { took } = await migrateInChild(path);
  assert.ok(took && took.rss < MAX_BYTES, `${took?.rss} bytes`);
  assert.deepEqual(judge(path, original, usualRuns('v6', RUNS)), []);
});
