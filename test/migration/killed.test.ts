import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { makeOlderFile, usualRuns } from '../support/older.ts';
import { filesBeside, freshCopy, judge, migrateInChild } from './cycle.ts';

const RUNS = 3_000;
const directory = mkdtempSync(join(tmpdir(), 'telemetry-killed-'));
const original = join(directory, 'original.sqlite');

before(() => makeOlderFile(original, 'v6', RUNS));
after(() => rmSync(directory, { recursive: true, force: true }));

const backup = 't.sqlite.v6.backup';
const building = 't.sqlite.migrating';

/** A moment, and what is there once the migration has died of it. */
const MOMENTS: readonly (readonly [name: string, moment: string, files: string[], names: number])[] = [
  ['as it begins', 'step:1', ['t.sqlite'], 1],
  ['before the first run is copied', 'step:3', ['t.sqlite', building], 1],
  ['while it makes indexes', 'step:8', ['t.sqlite', building], 1],
  ['before the older database has its second name', 'exchange:1', ['t.sqlite', building], 1],
  ['between link and rename', 'exchange:2', ['t.sqlite', building, backup], 2],
  ['without links, before the new database is called complete', 'exchange:1,no-links', ['t.sqlite', building], 1],
  [
    'without links, before the older database is put aside',
    'exchange:2,no-links',
    ['t.sqlite', 't.sqlite.migrated'],
    1,
  ],
  ['without links, between the two renames', 'exchange:3,no-links', ['t.sqlite.migrated', backup], 0],
];

for (const [name, moment, files, names] of MOMENTS) {
  test(`killed ${name} and begun again, a migration comes to the same result`, { timeout: 60_000 }, async () => {
    const path = freshCopy(original, join(directory, 'cycle'));
    const killed = await migrateInChild(path, moment);
    assert.equal(killed.signal, 'SIGKILL');
    assert.deepEqual(filesBeside(path), files.sort());
    assert.equal(statSync(path, { throwIfNoEntry: false })?.nlink ?? 0, names);
    const again = await migrateInChild(path, moment.includes('no-links') ? ',no-links' : '');
    assert.equal(again.signal, null);
    assert.deepEqual(judge(path, original, usualRuns('v6', RUNS)), []);
  });
}
