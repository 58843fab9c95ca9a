import assert from 'node:assert/strict';
import fs, { closeSync, openSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import type { Connection } from '../../../src/actors/database.ts';
import { Gate } from '../../../src/actors/gate.ts';
import type { BatchResult } from '../../../src/actors/protocol.ts';
import type { GroupWriter } from '../../../src/actors/writer/group.ts';
import {
  aRecord,
  associate,
  batch,
  codesOf,
  create,
  fileDatabase,
  groupOf,
  groupWriter,
  rollupsOf,
  totalsOf,
  update,
} from '../../support/database.ts';

const count = (db: Connection): unknown => db.prepare('SELECT count(*) FROM agent_runs').pluck().get();

test('one failing command does not cost the others of its group', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  const [first, last] = [aRecord(), aRecord()];
  const outcomes = writer.execute(
    groupOf(
      create(first),
      create('{"event_id":'),
      create({ ...aRecord(), status: 'done' }),
      create(aRecord({ run_id: '' })),
      batch('{"no":"runs"}'),
      {
        name: 'batch',
        args: { merge: false, maxRuns: 1, maxRunBytes: 64 * 1024 * 1024 },
        body: [aRecord(), aRecord()],
      },
      update('nobody', { items_failed: 1 }),
      update(first.event_id, { items_failed: -1 }),
      update(first.event_id, { agent_name: 'other' }),
      associate(first.event_id, { commit_hash: '../..', commit_source: 'llm' }),
      create(''),
      create(last),
    ),
  );
  assert.deepEqual(codesOf(outcomes), [
    ...['ok', 'invalid', 'invalid', 'invalid', 'invalid', 'too_large'],
    ...['not_found', 'invalid', 'bad_request', 'invalid', 'invalid', 'ok'],
  ]);
  assert.deepEqual(db.prepare('SELECT event_id FROM agent_runs ORDER BY id').pluck().all(), [
    first.event_id,
    last.event_id,
  ]);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('one bad item of a batch does not cost the others, and is named with its reason', (t) => {
  const { db } = fileDatabase(t);
  const [one, two] = [aRecord(), aRecord()];
  const items = [one, { ...aRecord(), event_id: 'bad', items_failed: -1, host: 5 }, 7, { event_id: '' }, one, two];
  const [outcome] = groupWriter(db).execute(groupOf(batch({ runs: items })));
  assert.ok(outcome?.ok);
  const { errors, ...counts } = outcome.value as BatchResult;
  assert.deepEqual(counts, { inserted: 2, duplicates: 1, merged: 0, total: 6, wrapped: true });
  assert.equal(
    errors[0],
    'bad: items_failed: Input should be greater than or equal to 0; host: Input should be a string',
  );
  assert.equal(errors[1], 'index 2: Input should be a JSON object');
  assert.match(errors[2] ?? '', /^index 3: event_id: Input should have at least 1 character; run_id: Field required/);
});

test('a batch that the database refuses midway is undone as a whole, and costs the other commands nothing', (t) => {
  const { db } = fileDatabase(t);
  db.exec(
    "CREATE TRIGGER refusing BEFORE INSERT ON agent_runs WHEN NEW.host = 'x' BEGIN SELECT RAISE(ABORT, 'x'); END",
  );
  const [first, last] = [aRecord(), aRecord()];
  const sent = [
    create(first),
    batch([aRecord(), aRecord({ host: 'x' }), aRecord()]),
    create(aRecord({ host: 'x' })),
    create(last),
  ];
  assert.deepEqual(codesOf(groupWriter(db).execute(groupOf(...sent))), ['ok', 'internal', 'internal', 'ok']);
  assert.deepEqual(db.prepare('SELECT event_id FROM agent_runs').pluck().all(), [first.event_id, last.event_id]);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('a known event_id is a duplicate, in the same group and in a later one', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  const run = aRecord();
  const created = [create(run), create({ ...run, host: 'other' })];
  const answers = [...writer.execute(groupOf(...created)), ...writer.execute(groupOf(create(run)))];
  const seen = answers.map((outcome) => outcome.ok && (outcome.value as { created: boolean }).created);
  assert.deepEqual(seen, [true, false, false]);
  assert.equal(count(db), 1);
});

test('an empty group and a group without writes change nothing', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  assert.deepEqual(writer.execute(groupOf()), []);
  assert.deepEqual(codesOf(writer.execute(groupOf(update('nobody', {})))), ['not_found']);
  assert.equal(db.prepare('SELECT count(*) FROM rollup_state').pluck().get(), 0);
});

const filling = (size: number): ReturnType<typeof create> => create(aRecord({ output_summary: 'x'.repeat(size) }));

for (const [what, sent] of [
  ['a create', [create(aRecord()), filling(3_000_000), create(aRecord())]],
  [
    'a batch',
    [create(aRecord()), batch([aRecord(), aRecord({ error_details: 'x'.repeat(3_000_000) })]), create(aRecord())],
  ],
] as const) {
  test(`the whole group fails where SQLite has rolled it back by itself within ${what}, and the next one is written`, (t) => {
    const { db } = fileDatabase(t);
    const writer = groupWriter(db);
    writer.execute(groupOf(create(aRecord())));
    db.pragma('max_page_count = 200');
    assert.deepEqual(codesOf(writer.execute(groupOf(...sent))), ['full', 'full', 'full']);
    assert.deepEqual([count(db), db.inTransaction, writer.broken], [1, false, false]);
    assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord())))), ['ok'], 'what fits is written');
    db.pragma('max_page_count = 1000000');
    assert.deepEqual(codesOf(writer.execute(groupOf(...sent))), ['ok', 'ok', 'ok']);
    assert.deepEqual(rollupsOf(db), totalsOf(db));
  });
}

/** A second connection that holds a SHARED lock until the returned function is called. */
function reading(t: TestContext, path: string): () => void {
  const reader = new Database(path, { readonly: true });
  t.after(() => reader.close());
  const rows = reader.prepare('SELECT name FROM sqlite_schema').iterate();
  rows.next();
  return () => void rows.return?.();
}

test('a COMMIT that a foreign reader blocks for too long fails its group, opens the gate, and leaves nothing behind', (t) => {
  const { db, path } = fileDatabase(t);
  const gate = new Gate();
  const writer = groupWriter(db, { gate, busyTimeoutMs: 1 });
  db.pragma('busy_timeout = 1');
  const release = reading(t, path);
  assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord()), create(aRecord())))), [
    'unavailable',
    'unavailable',
  ]);
  assert.deepEqual([db.inTransaction, writer.broken, gate.enter(gate.claim(1), 0)], [false, false, true]);
  gate.release(1);
  release();
  assert.equal(count(db), 0);
  assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord())))), ['ok']);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('a database that another program writes is unavailable, and then available again', (t) => {
  const { db, path } = fileDatabase(t);
  const writer = groupWriter(db, { busyTimeoutMs: 1 });
  db.pragma('busy_timeout = 1');
  const other = new Database(path);
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord())))), ['unavailable']);
  other.exec('ROLLBACK');
  assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord())))), ['ok']);
});

/** The directory's sync fails while the returned object says so; `calls` counts all of them. */
function failingSync(t: TestContext): { failing: boolean; calls: number } {
  const real = fs.fsyncSync;
  const state = { failing: true, calls: 0 };
  fs.fsyncSync = (descriptor) => {
    state.calls++;
    if (state.failing) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    real(descriptor);
  };
  syncBuiltinESMExports();
  t.after(() => {
    fs.fsyncSync = real;
    syncBuiltinESMExports();
  });
  return state;
}

function syncingWriter(t: TestContext, rollupsTrusted = true): { db: Connection; writer: GroupWriter } {
  const { db, path } = fileDatabase(t);
  const directory = openSync(dirname(path), 'r');
  t.after(() => closeSync(directory));
  return { db, writer: groupWriter(db, { directory, rollupsTrusted }) };
}

test('nothing is acknowledged while the directory cannot be synced, not even what was written before', (t) => {
  const { db, writer } = syncingWriter(t);
  const sync = failingSync(t);
  const run = aRecord();
  assert.deepEqual(codesOf(writer.execute(groupOf(create(run)))), ['unavailable']);
  assert.equal(count(db), 1, 'it is committed, but its outcome was unknown');
  assert.deepEqual(codesOf(writer.execute(groupOf(create(run)))), ['unavailable'], 'a duplicate says "stored" as well');
  sync.failing = false;
  assert.deepEqual(codesOf(writer.execute(groupOf(create(run)))), ['ok']);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('the directory is synced once a commit that wrote, and not for one that did not', (t) => {
  const { writer } = syncingWriter(t);
  const sync = failingSync(t);
  sync.failing = false;
  const run = aRecord();
  writer.execute(groupOf(create(run), create(aRecord())));
  assert.equal(sync.calls, 1);
  writer.execute(groupOf(create(run)));
  writer.execute(groupOf(update('nobody', {})));
  assert.equal(sync.calls, 1);
  writer.execute(groupOf(update(run.event_id, { items_failed: 1 })));
  assert.equal(sync.calls, 2);
});

test('a recount that is under way counts the commit whose directory could not be synced', (t) => {
  const { db, writer } = syncingWriter(t, false);
  const first = aRecord();
  // The first step of the recount passes what is there, and every id of its window with it.
  const sync = failingSync(t);
  sync.failing = false;
  writer.execute(groupOf(create(first)));
  const insert = db.prepare(
    "INSERT INTO agent_runs (id, event_id, run_id, created_at, updated_at, start_time, agent_name, job_type) VALUES (?, ?, 'r', ?, 't', 't', 'a', 'j')",
  );
  insert.run(1_000_000, 'far', '2026-01-10T12:00:00.000000+00:00');
  writer.recount(0);
  assert.equal(writer.recounting, true);
  sync.failing = true;
  assert.deepEqual(codesOf(writer.execute(groupOf(update(first.event_id, { status: 'success' })))), ['unavailable']);
  sync.failing = false;
  while (writer.recounting) writer.recount(1000);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
});

test('what joins a group is dated by when it joined, not by when the group began', (t) => {
  const { db } = fileDatabase(t);
  const times = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)];
  const writer = groupWriter(db, { now: () => times.shift() ?? 0 });
  const [first, joining] = [aRecord(), aRecord()];
  const parcels = [groupOf(create(joining))];
  assert.deepEqual(codesOf(writer.execute(groupOf(create(first)), () => parcels.shift())), ['ok', 'ok']);
  const created = db.prepare('SELECT created_at FROM agent_runs ORDER BY id').pluck().all();
  assert.deepEqual(created, ['2026-01-01T00:00:00.000000+00:00', '2026-01-02T00:00:00.000000+00:00']);
});

test('a group that fails as a whole answers each command of each parcel that it took', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  const parcels = [groupOf(create(aRecord()), create(aRecord()))];
  const next = (): ReturnType<typeof groupOf> | undefined => {
    // As SQLite does by itself on a full disk.
    if (parcels.length === 0) db.exec('ROLLBACK');
    return parcels.shift();
  };
  const codes = codesOf(writer.execute(groupOf(create(aRecord())), next));
  assert.equal(codes.length, 3);
  assert.ok(!codes.includes('ok'));
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 0);
});
