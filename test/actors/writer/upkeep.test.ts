/** Work on rows that a release before this wrote, in slices between groups. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { migrate, readMigrations } from '../../../src/actors/writer/migrate.ts';
import type { Session } from '../../../src/actors/writer/session.ts';
import { clearDefaulted, FIELD_INDEX } from '../../../src/run.ts';
import {
  aRecord,
  codesOf,
  create,
  databaseConfig,
  folder,
  groupOf,
  insertRuns,
  update,
} from '../../support/database.ts';
import { digestsOf, hasJournal } from '../../support/files.ts';
import { behindOurBack, rollupsIn, sessionIn } from '../../support/session.ts';
import { runToEnd, startService } from '../../support/service.ts';

const START = '2026-01-10T12:00:00Z';
const END = '2026-01-10T12:03:20.0005Z';
const DONE = Number.MAX_SAFE_INTEGER;
const DYING = fileURLToPath(new URL('dying-upkeep.ts', import.meta.url));

type Fields = Record<string, unknown>;
type Shown = [duration: unknown, derived: boolean, repository: unknown, commits: unknown];

/** A database of version 8 with these runs as its writer stored them. */
function olderDatabase(
  t: TestContext,
  records: readonly Fields[],
  ...statements: string[]
): { directory: string; path: string } {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  behindOurBack(path, (db) => {
    migrate(db, 0, readMigrations().slice(0, 1));
    insertRuns(
      db,
      records.map((fields) => aRecord({ start_time: START, ...fields })),
    );
    // It took 0 for given where it was, and for a default where it was not.
    const given = clearDefaulted(-1, FIELD_INDEX.duration_ms);
    db.exec(
      `UPDATE agent_runs SET duration_ms = 0, defaulted = defaulted & ${given} WHERE id % 2 = 0 AND duration_ms <> 7`,
    );
    db.exec('UPDATE agent_runs SET duration_ms = 0 WHERE id % 2 = 1 AND duration_ms <> 7');
    for (const sql of statements) db.exec(sql);
  });
  return { directory, path };
}

const ended = (count: number): Fields[] =>
  Array.from({ length: count }, () => ({ end_time: END, status: 'success', git_repo: 'git@github.com:o/r.git' }));

const BIT = ~clearDefaulted(-1, FIELD_INDEX.duration_ms);
function rowsIn(path: string, where = '1'): Shown[] {
  const sql = `SELECT duration_ms, defaulted & ${BIT} <> 0, repo_url, commits_url FROM agent_runs WHERE ${where} ORDER BY id`;
  return behindOurBack(path, (db) => db.prepare(sql).raw().all() as [unknown, number, unknown, unknown][]).map(
    ([duration, derived, ...addresses]) => [duration, derived === 1, ...addresses],
  );
}

function positionIn(path: string, name = 'durations'): unknown {
  return behindOurBack(path, (db) => db.prepare('SELECT position FROM upkeep WHERE name = ?').pluck().get(name));
}

function finish(session: Session, budgetMs = 1_000): unknown[] {
  const notes: unknown[] = [];
  for (let slices = 0; session.upkeeping; slices++) {
    assert.ok(slices < 1_000, 'it comes to an end');
    const note = session.upkeep(budgetMs)?.note;
    if (note) notes.push([note.message, note.fields]);
  }
  return notes;
}

const ADDRESSES = ['https://github.com/o/r', 'https://github.com/o/r/commit/'];

test('runs of before get what a run gets now, and say so once; what was given stays, and so does what has none', (t) => {
  const { directory, path } = olderDatabase(
    t,
    [
      ...ended(2),
      { end_time: END, duration_ms: 7, git_repo: 'https://example.org/o/r.git' },
      { git_repo: 'no address' },
      { end_time: '2026-01-10T11:00:00Z' },
      ...ended(6),
    ],
    'UPDATE agent_runs SET id = -5 WHERE id = 1',
    "UPDATE agent_runs SET end_time = x'ffff', git_repo = x'00ff' WHERE id = 7",
    "UPDATE agent_runs SET end_time = 'soon', git_repo = printf('https://github.com/a%.*c', 60000, '/') || 'x' WHERE id = 8",
    "UPDATE agent_runs SET end_time = replace(end_time, '+00:00', '+99:99') WHERE id = 9",
    `UPDATE agent_runs SET id = 5000000000 WHERE id = 10`,
    `UPDATE agent_runs SET id = 9223372036854775807 WHERE id = 11`,
  );
  const session = sessionIn(t, directory);
  session.open();
  assert.deepEqual(finish(session), [
    ['Older runs are completed', { work: 'durations', changed: 4 }],
    ['Older runs are completed', { work: 'addresses', changed: 9 }],
  ]);
  const [whole, odd] = [
    [200_000, true, ...ADDRESSES],
    [0, false, '', ''],
  ];
  const [, , ...more] = rowsIn(path);
  assert.deepEqual(rowsIn(path, 'id < 3'), [whole, whole]);
  assert.deepEqual(more, [
    [7, false, 'https://example.org/o/r', ''],
    [0, false, '', ''],
    [0, true, null, null],
    whole,
    [0, true, '', ''],
    odd,
    [0, true, ...ADDRESSES],
    whole,
    [0, true, null, null],
  ]);
  assert.equal(session.upkeep(1_000), undefined);
});

test('rows and position are of one commit; it goes on where it was, whoever closes, and groups go on between', (t) => {
  const { directory, path } = olderDatabase(t, ended(1_000));
  let slices = 0;
  for (let open = true; open;) {
    const session = sessionIn(t, directory);
    session.open();
    assert.equal(session.recounting, false, 'the slices of the session before are no foreign writes');
    for (let twice = 0; twice < 2 && positionIn(path) !== DONE; twice++) {
      session.upkeep(0);
      slices++;
      const position = Number(positionIn(path));
      assert.deepEqual(
        new Set(rowsIn(path, `id <= ${position} AND end_time IS NOT NULL`).map(([duration]) => duration)),
        new Set([200_000]),
      );
      assert.equal(rowsIn(path, `id > ${position} AND duration_ms > 0 AND defaulted & ${BIT}`).length, 0);
      assert.deepEqual(codesOf(session.commit(groupOf(create(aRecord())))), ['ok']);
    }
    open = positionIn(path) !== DONE;
    if (!open) assert.equal(finish(session).length, 1);
    session.close();
  }
  assert.ok(slices >= 5, `${slices} slices`);
  assert.deepEqual([positionIn(path), positionIn(path, 'addresses')], [DONE, DONE]);
  assert.deepEqual(rollupsIn(path).kept, rollupsIn(path).true);
});

test('killed in the midst of a slice, it has done nothing of it, and the next start does all', async (t) => {
  const { directory, path } = olderDatabase(t, ended(1_500));
  const before = sessionIn(t, directory);
  before.open();
  before.close();
  const { signal } = await runToEnd({}, [directory], DYING);
  assert.equal(signal, 'SIGKILL');
  assert.ok(hasJournal(path));
  const session = sessionIn(t, directory);
  session.open();
  assert.equal(positionIn(path), undefined);
  assert.deepEqual(new Set(rowsIn(path).map(([duration]) => duration)), new Set([0]));
  finish(session);
  assert.deepEqual(new Set(rowsIn(path).map(([duration]) => duration)), new Set([200_000]));
});

test('a slice that cannot be committed is nothing done, and the next one does it', (t) => {
  const { directory, path } = olderDatabase(t, ended(3));
  const session = sessionIn(t, directory);
  session.open();
  const foreign = new Database(path);
  t.after(() => foreign.close());
  foreign.exec('BEGIN IMMEDIATE');
  assert.throws(() => session.upkeep(1_000), { code: 'SQLITE_BUSY' });
  foreign.exec('COMMIT');
  assert.equal(positionIn(path), undefined);
  assert.equal(finish(session).length, 2);
  assert.equal(rowsIn(path, 'duration_ms = 200000').length, 3);
});

test('rows that come when it has ended are none of its business, and of a new database it has nothing to do', (t) => {
  const directory = folder(t);
  const { path } = databaseConfig(directory);
  const session = sessionIn(t, directory);
  session.open();
  const before = digestsOf(path);
  assert.deepEqual([session.upkeep(1_000), session.upkeeping], [undefined, false]);
  assert.deepEqual(digestsOf(path), before, 'not a byte is written');
  session.close();
  behindOurBack(path, (db) => insertRuns(db, [aRecord()]));
  const next = sessionIn(t, directory);
  next.open();
  assert.deepEqual([next.upkeep(1_000), next.upkeeping], [undefined, false]);
});

test('until it has come to a row, a record or a PATCH completes it as well', (t) => {
  const { directory, path } = olderDatabase(t, [{ event_id: 'patched', end_time: END, status: 'success' }]);
  const session = sessionIn(t, directory);
  session.open();
  assert.deepEqual(codesOf(session.commit(groupOf(update('patched', { items_failed: 1 })))), ['ok']);
  assert.deepEqual(rowsIn(path), [[200_000, true, null, null]]);
});

test('a service does it once it answers, tells the log, and lets nobody keep an answer from before', async (t) => {
  const { directory } = olderDatabase(t, ended(300));
  const service = await startService(t, { TELEMETRY_DB_PATH: databaseConfig(directory).path }, directory);
  const { level, changed } = await service.logged(/^Older runs are completed$/);
  assert.deepEqual([level, changed], ['INFO', 300]);
  assert.ok(service.platform.writer.version > 0, 'nobody has sent a command');
  const { body } = await service.request('GET', '/api/v1/runs?limit=1000');
  assert.deepEqual(new Set((body as Fields[]).map(({ duration_ms }) => duration_ms)), new Set([200_000]));
});
