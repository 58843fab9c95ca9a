/** Restoring while another program has the old database open, and what is said in the end. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { cliHere } from '../support/cli-here.ts';
import { type Environment, localEnvironment, temporaryDirectory } from '../support/service.ts';
import { behindOurBack } from '../support/session.ts';
import { closedDatabase } from '../offline/closed.ts';

/** A closed database of 5 runs, and a backup of another, with 12. */
function twoDatabases(t: TestContext): { path: string; backup: string; settings: Environment } {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 5);
  const backup = join(directory, 'backup.sqlite');
  copyFileSync(closedDatabase(temporaryDirectory(t), 12), backup);
  return { path, backup, settings: localEnvironment(directory) };
}

/** Closed at once, for a connection would be in the way of what follows. */
const runsIn = (path: string): unknown =>
  behindOurBack(path, (db) => db.prepare('SELECT count(*) FROM agent_runs').pluck().get());

const FOREIGN: [name: string, begin: (db: Database.Database) => void][] = [
  ['is in the midst of writing', (db) => db.exec("BEGIN IMMEDIATE; UPDATE agent_runs SET output_summary = 'foreign'")],
  ['is in the midst of reading', (db) => (db.exec('BEGIN'), db.prepare('SELECT count(*) FROM agent_runs').get())],
  ['has it open in WAL mode', (db) => (db.pragma('journal_mode = WAL'), db.prepare('SELECT * FROM agent_runs').all())],
];

for (const [name, begin] of FOREIGN) {
  test(`the database is not replaced while another program ${name}`, async (t) => {
    const { path, backup, settings } = twoDatabases(t);
    const foreign = new Database(path);
    begin(foreign);
    const { code, stderr } = await cliHere(['restore', backup], settings);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /telemetry\.sqlite is in use by another program, .* Stop it, then restore\. The database is as it was\./,
    );
    assert.deepEqual(
      readdirSync(dirname(path)).filter((file) => /restor|replaced/.test(file)),
      [],
    );
    if (foreign.inTransaction) foreign.exec('COMMIT');
    foreign.close();
    assert.equal(runsIn(path), 5);
    assert.equal((await cliHere(['restore', backup], settings)).code, 0);
    assert.equal(runsIn(path), 12);
  });
}

test('what is left of a WAL is in the old database that is kept', async (t) => {
  const { path, backup, settings } = twoDatabases(t);
  const origin = join(dirname(path), 'origin.sqlite');
  copyFileSync(path, origin);
  const db = new Database(origin);
  db.pragma('journal_mode = WAL');
  db.exec('DELETE FROM agent_runs WHERE id = 1');
  for (const suffix of ['', '-wal']) copyFileSync(origin + suffix, path + suffix);
  db.close();
  const { stdout } = await cliHere(['restore', backup, '--json'], settings);
  const { replaced } = JSON.parse(stdout) as { replaced: string };
  assert.deepEqual([runsIn(replaced), runsIn(path), existsSync(`${path}-wal`)], [4, 12, false]);
});

test('a damaged old database is replaced all the same, with what lies beside it', async (t) => {
  const { path, backup, settings } = twoDatabases(t);
  for (const suffix of ['', '-journal']) writeFileSync(path + suffix, 'nothing that SQLite could read '.repeat(100));
  const { code, stdout } = await cliHere(['restore', backup, '--json'], settings);
  const { replaced } = JSON.parse(stdout) as { replaced: string };
  assert.deepEqual([code, existsSync(`${replaced}-journal`), runsIn(path)], [0, true, 12]);
});

test('people are told what comes next', async (t) => {
  const { backup, settings } = twoDatabases(t);
  const { stdout } = await cliHere(['restore', backup], settings);
  assert.match(
    stdout,
    /\nNext:\n1\. Start the service\..*\n2\. local-telemetry verify: .*\n3\. Import these; .*retention again.*\n$/,
  );
});
