import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { folder } from '../support/database.ts';
import { digestsOf } from '../support/files.ts';
import { makeOlder, type Older } from '../support/older.ts';
import { differences } from '../support/older-verdict.ts';
import { localEnvironment, startService } from '../support/service.ts';

interface Home {
  settings: Record<string, string>;
  older: Older;
}

/** A base directory with a database of version 5. */
function home(t: TestContext): Home {
  const directory = folder(t);
  mkdirSync(join(directory, 'db'));
  const older = makeOlder(join(directory, 'db', 'telemetry.sqlite'), 'v5');
  return { settings: localEnvironment(directory) as Record<string, string>, older };
}

test('migrate --dry-run tells what is there and what would be done, and changes nothing', async (t) => {
  const { settings, older } = home(t);
  const files = readdirSync(dirname(older.path));
  const before = digestsOf(older.path);
  const { code, stdout } = await cliHere(['migrate', '--dry-run'], settings);
  assert.equal(code, 0);
  assert.match(stdout, /^Database: .*telemetry\.sqlite \([\d.]+ KiB\)\nVersion: {2}version 5/);
  assert.match(stdout, new RegExp(`Holds: {4}${older.runs.length} runs, \\d+ events, \\d+ commits\n`));
  assert.match(stdout, /Migrating would:\n {2}1\. lock the database/);
  assert.match(
    stdout,
    /It takes about \d+ m?s and [\d.]+ MiB of space; [\d.]+ \w+ are free\.\nNothing was changed\.\n$/,
  );
  assert.deepEqual(digestsOf(older.path), before);
  assert.deepEqual(readdirSync(dirname(older.path)), files);
  const found = JSON.parse((await cliHere(['migrate', '--dry-run', '--json'], settings)).stdout) as Record<
    string,
    unknown
  >;
  assert.deepEqual([found.version, found.rows], [5, older.runs.length]);
  const names = Object.keys(found);
  for (const name of ['expected_seconds', 'free_bytes', 'needed_bytes'])
    assert.equal(typeof found[name], 'number', name);
  assert.match(String(found.expected_seconds), /^\d+(\.\d{1,3})?$/);
  assert.deepEqual(
    names.filter((name) => !/^[a-z_]+$/.test(name)),
    [],
  );
});

test('migrate migrates, and says where the earlier database is', async (t) => {
  const { settings, older } = home(t);
  const { code, stdout, stderr } = await cli(['migrate'], settings);
  assert.equal(code, 0, stderr);
  const [, backup = ''] = /kept as (.*\.v5-\d{8}T\d{6}Z\.backup); remove it/.exec(stdout) ?? [];
  assert.ok(existsSync(backup), stdout);
  assert.match(stdout, new RegExp(`^Migrated from version 5 to 9 in \\d+ m?s: ${older.runs.length} runs, `));
  assert.equal(stderr.split('\n')[0], 'Checking the earlier database…');
  assert.deepEqual(differences(older.path, older.runs), []);
});

test('migrate --json says it all in one line, and a second time that there is nothing to do', async (t) => {
  const { settings, older } = home(t);
  const first = JSON.parse((await cliHere(['migrate', '--json'], settings)).stdout) as Record<string, unknown>;
  assert.deepEqual([first.migrated, first.from, first.to, first.rows], [true, 5, 9, older.runs.length]);
  assert.ok(Array.isArray(first.left_behind));
  assert.match(String(first.seconds), /^\d+(\.\d{1,3})?$/);
  assert.deepEqual(
    Object.keys(first).filter((name) => !/^[a-z_]+$/.test(name)),
    [],
  );
  assert.deepEqual(JSON.parse((await cliHere(['migrate', '--json'], settings)).stdout), {
    migrated: false,
    version: 9,
  });
  assert.match(
    (await cliHere(['migrate'], settings)).stdout,
    /^There is nothing to migrate: .* has version 9 already\.\n$/,
  );
});

test('migrate ends what a killed migration had all but ended', async (t) => {
  const { settings, older } = home(t);
  await cliHere(['migrate'], settings);
  // Killed between the two renames of a file system without hard links.
  renameSync(older.path, `${older.path}.migrated`);
  const dry = await cliHere(['migrate', '--dry-run'], settings);
  assert.match(dry.stderr, /was killed when it was complete but for its last step\. Run local-telemetry migrate/);
  const { code, stdout } = await cliHere(['migrate'], settings);
  assert.deepEqual([code, stdout.startsWith('There is nothing to migrate')], [0, true]);
  assert.deepEqual(differences(older.path, older.runs), []);
});

test('migrate refuses what is missing, newer, foreign or no database, and leaves it as it is', async (t) => {
  const directory = folder(t);
  const settings = localEnvironment(directory) as Record<string, string>;
  const made = (name: string, sql: string): string => {
    const path = join(directory, name);
    const db = new Database(path);
    db.exec(sql);
    db.close();
    return path;
  };
  const text = join(directory, 'notes.txt');
  writeFileSync(text, 'notes\n'.repeat(100));
  const refused: [string, RegExp][] = [
    [join(directory, 'none.sqlite'), /There is no database .*none\.sqlite\. Set TELEMETRY_DB_PATH or give --db/],
    [made('foreign.sqlite', 'CREATE TABLE notes (x)'), /is a SQLite database, but not of telemetry/],
    [
      made(
        'newer.sqlite',
        'CREATE TABLE agent_runs (x); CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES (99)',
      ),
      /has schema version 99; this service knows versions up to 9\. Install a newer/,
    ],
    [text, /is not a SQLite database/],
  ];
  for (const [path, why] of refused) {
    const before = existsSync(path) ? digestsOf(path) : undefined;
    for (const words of [['migrate'], ['migrate', '--dry-run']]) {
      const { code, stderr } = await cliHere([...words, '--db', path], settings);
      assert.equal(code, 1, path);
      assert.match(stderr, why);
    }
    assert.equal(existsSync(`${path}.lock`), false, 'no lock file beside what is no database of ours');
    if (before) assert.deepEqual(digestsOf(path), before);
    else
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.startsWith('none')),
        [],
      );
  }
});

test('migrate refuses the database of a running service, and names it', async (t) => {
  const directory = folder(t);
  const service = await startService(t, {}, directory);
  const { code, stderr } = await cli(['migrate'], localEnvironment(directory) as Record<string, string>);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`The database ${service.path} is in use by the process with pid ${process.pid}`));
});
