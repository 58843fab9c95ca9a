import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Gate } from '../../../src/actors/gate.ts';
import type { QueryTask } from '../../../src/actors/protocol.ts';
import { ReaderThreads } from '../../../src/actors/readers/thread.ts';
import { fileDatabase } from '../../support/database.ts';
import { Recorder, startService } from '../../support/service.ts';

const ODD = new URL('../../support/odd-reader.ts', import.meta.url).href;
const STUCK = /^A reader gave no sign of life for 0\.2 s and was given up\. .*TELEMETRY_READER_TIMEOUT_MS/;
const METADATA: QueryTask = { name: 'metadata', args: {} };
const told = (what: string): QueryTask => ({ name: 'run', args: { eventId: what } });

function threadsOf(
  t: TestContext,
  path: string,
  actor?: string,
): { threads: ReaderThreads; gate: Gate; log: Recorder } {
  const gate = new Gate();
  const log = new Recorder();
  const options = { threads: 1, timeoutMs: 200, ...(actor !== undefined && { actor }) };
  const threads = new ReaderThreads(
    options,
    { path, busyTimeoutMs: 50, gate: gate.memory, shownBytes: 1_000 },
    gate,
    log.logger,
  );
  t.after(() => threads.close());
  return { threads, gate, log };
}

test('queries are answered in the order in which they came, whatever they ask', async (t) => {
  const { readers } = (await startService(t)).platform;
  const order: number[] = [];
  const ask = (index: number): Promise<unknown> => {
    if (index % 4 === 0) return readers.ask('metadata', {});
    if (index % 4 === 1) return readers.list({ filter: {}, limit: 10, offset: 0 });
    return index % 4 === 2 ? readers.ask('metrics', { since: '2026' }) : readers.ask('run', { eventId: 'none' });
  };
  await Promise.all(Array.from({ length: 60 }, (_, index) => ask(index).then(() => order.push(index))));
  assert.deepEqual(
    order,
    Array.from({ length: 60 }, (_, index) => index),
  );
});

test('of eight who ask without pause none gets a second answer before all others had one', async (t) => {
  const { readers } = (await startService(t)).platform;
  const answered: number[] = [];
  const asker = async (who: number): Promise<void> => {
    for (let round = 0; round < 50; round++) {
      await readers.list({ filter: {}, limit: 10, offset: 0 });
      answered.push(who);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, who) => asker(who)));
  const rounds = Array.from({ length: 50 }, (_, round) => new Set(answered.slice(8 * round, 8 * round + 8)).size);
  assert.deepEqual(new Set(rounds), new Set([8]));
});

test('among long lists the one that was asked for first goes first, though only its first slice showed that it is long', async (t) => {
  const { readers } = (await startService(t)).platform;
  const order: string[] = [];
  // Each has two stretches, the first a tie, and each stretch takes a slice.
  const after = { created_at: '2026-01-10T12:00:00.000000Z', id: 1 };
  const list = (name: string, filter: object): Promise<unknown> =>
    readers.list({ filter, limit: 1, offset: 0, after, sliceMs: -1 }).then(() => order.push(name));
  // The first holds up all long ones until the second has come back from its first slice.
  await Promise.all([list('long', { product: 'x' }), list('found to be long', {}), list('later', { product: 'x' })]);
  assert.deepEqual(order, ['long', 'found to be long', 'later']);
});

test('a thread that is stuck in SQLite is given up and replaced at once, and its slot is free when it has ended', async (t) => {
  const { db, path } = fileDatabase(t);
  const { threads, gate, log } = threadsOf(t, path);
  await threads.run(METADATA);
  const [stuck] = threads.all;
  assert.ok(stuck);
  const exited = once(stuck, 'exit');
  let ended = false;
  void exited.then(() => (ended = true));
  db.exec(`ALTER TABLE rollup_runs RENAME TO real_rollup_runs;
    CREATE VIEW rollup_runs AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
      SELECT agent_name, job_type, status, runs FROM real_rollup_runs, n`);
  db.exec(`INSERT INTO real_rollup_runs (agent_name, job_type, status, runs) VALUES ('a', 'j', 'success', 1)`);
  const asked = threads.run(METADATA);
  const waiting = threads.run(told('none'));
  await assert.rejects(asked, { code: 'unavailable', message: STUCK });
  assert.deepEqual(await waiting, { ok: true, value: null }, 'whoever came behind it is answered');
  assert.equal(ended, false, 'meanwhile the statement goes on');
  assert.equal(gate.shut(0), false, 'so that its thread is in the gate');
  gate.open();
  const line = await log.logged(/^A reader thread gave no sign of life/);
  assert.deepEqual([line.level, line.error_type, line.query], ['ERROR', 'ReaderStuck', 'metadata']);
  await exited;
  assert.equal(gate.shut(0), true);
});

test('a thread that loops is ended, and the next query is answered by another', async (t) => {
  const { threads } = threadsOf(t, 'none', ODD);
  const [looping] = threads.all;
  assert.ok(looping);
  const exited = once(looping, 'exit');
  const asked = threads.run(told('loop'));
  const next = threads.run(told('nothing'));
  await assert.rejects(asked, { code: 'unavailable', message: STUCK });
  await exited;
  assert.deepEqual(await next, { ok: true, value: null });
  assert.notEqual(threads.all[0], looping);
});

test('a query that takes three times as long is answered, where it gives signs of life', async (t) => {
  const { threads } = threadsOf(t, 'none', ODD);
  assert.deepEqual(await threads.run(told('visits')), { ok: true, value: null });
});

test('a thread that dies with its query is replaced, and those that waited keep their order', async (t) => {
  const { threads } = threadsOf(t, 'none', ODD);
  const order: number[] = [];
  const died = threads.run(told('die'));
  const others = Array.from({ length: 20 }, (_, index) => threads.run(told('')).then(() => order.push(index)));
  await assert.rejects(died, { code: 'unavailable', message: /^A reader failed \(.*exited.*\)\. Send this again\.$/ });
  await Promise.all(others);
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('a pool closes while a thread loops, and tells those who wait', async (t) => {
  const { threads } = threadsOf(t, 'none', ODD);
  await threads.run(told('nothing'));
  const asked = threads.run(told('loop'));
  const waiting = threads.run(told('nothing'));
  const both = Promise.allSettled([asked, waiting]);
  await threads.close();
  for (const { status } of await both) assert.equal(status, 'rejected');
});
