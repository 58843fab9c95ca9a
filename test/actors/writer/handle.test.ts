import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Gate } from '../../../src/actors/gate.ts';
import { WriterHandle } from '../../../src/actors/writer/handle.ts';
import type { TelemetryError } from '../../../src/errors.ts';
import { testConfig } from '../../support/config.ts';
import { aRun, type Environment, openToVerify, Recorder, temporaryDirectory } from '../../support/service.ts';

interface Writer {
  handle: WriterHandle;
  gate: Gate;
  recorder: Recorder;
  path: string;
  failed: Promise<TelemetryError>;
}

async function openWriter(t: TestContext, environment: Environment = {}): Promise<Writer> {
  const config = testConfig(temporaryDirectory(t), environment);
  const gate = new Gate();
  const recorder = new Recorder();
  const { promise: failed, resolve: onFatal } = Promise.withResolvers<TelemetryError>();
  const handle = new WriterHandle({ config, gate, log: recorder.logger, onFatal });
  t.after(() => handle.close());
  await handle.open();
  return { handle, gate, recorder, path: config.database.path, failed };
}

const bodyOf = (run: object): Uint8Array => Buffer.from(JSON.stringify(run));
const create = (handle: WriterHandle, run: object = aRun()): Promise<unknown> => handle.send('create', {}, bodyOf(run));

test('commands sent at the same time are all committed, each with its own outcome', async (t) => {
  const { handle, path } = await openWriter(t);
  const runs = Array.from({ length: 300 }, () => aRun());
  const sent = runs.map((run, index) => create(handle, index % 3 === 0 ? { ...run, items_failed: -1 } : run));
  const outcomes = await Promise.allSettled(sent);
  const stored = openToVerify(t, path).prepare('SELECT event_id FROM agent_runs').pluck().all();
  const good = runs.filter((_, index) => index % 3 !== 0).map(({ event_id }) => event_id);
  assert.deepEqual(new Set(stored), new Set(good));
  for (const [index, outcome] of outcomes.entries()) {
    assert.equal(outcome.status, index % 3 === 0 ? 'rejected' : 'fulfilled');
  }
});

test('when the writer thread dies, everyone who waits is answered, what was acknowledged is there, and a new thread goes on', async (t) => {
  const { handle, recorder, path } = await openWriter(t);
  const runs = Array.from({ length: 2_000 }, () => aRun());
  const sent = runs.map((run) => create(handle, run));
  await sent[0];
  await handle.thread?.terminate();
  const outcomes = await Promise.allSettled(sent);
  await recorder.logged(/runs again/);
  const stored = new Set(openToVerify(t, path).prepare('SELECT event_id FROM agent_runs').pluck().all());
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') assert.ok(stored.has(runs[index]?.event_id), 'an acknowledged run is missing');
    else assert.equal((outcome.reason as TelemetryError).code, 'unavailable');
  }
  assert.deepEqual(await create(handle, { ...aRun(), event_id: 'after', run_id: 'r' }), {
    created: true,
    event_id: 'after',
    run_id: 'r',
  });
});

test('when the writer thread dies inside its COMMIT, the gate opens for readers', async (t) => {
  const { handle, gate, recorder } = await openWriter(t);
  const slot = gate.claim(1);
  gate.shut(0);
  assert.equal(gate.enter(slot, 0), false);
  await handle.thread?.terminate();
  await recorder.logged(/thread died/);
  assert.equal(gate.enter(slot, 0), true);
});

test('a command sent while no writer is there is refused at once as unavailable', async (t) => {
  const { handle, recorder } = await openWriter(t);
  await handle.thread?.terminate();
  await assert.rejects(create(handle), { code: 'unavailable' });
  await recorder.logged(/runs again/);
});

test('a writer that dies again and again makes the service stop', async (t) => {
  const { handle, recorder, failed } = await openWriter(t);
  for (let death = 1; death <= 5; death++) {
    await handle.thread?.terminate();
    await recorder.logged(/thread died/, death);
    if (death < 5) await recorder.logged(/runs again/, death);
  }
  assert.match((await failed).message, /died 5 times/);
});

test('a full mailbox refuses more, and what it took is committed', async (t) => {
  const { handle } = await openWriter(t, { TELEMETRY_MAILBOX_MAX_COMMANDS: '10' });
  const outcomes = await Promise.allSettled(Array.from({ length: 25 }, () => create(handle)));
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.equal(refused.length, 15);
  for (const { reason } of refused) assert.equal((reason as TelemetryError).code, 'busy');
  assert.ok(await create(handle));
});

test('closing answers what was taken, then frees lock and thread', async (t) => {
  const { handle, path } = await openWriter(t);
  const sent = Array.from({ length: 500 }, () => create(handle));
  const thread = handle.thread;
  await Promise.all([handle.close(), ...sent]);
  assert.equal(openToVerify(t, path).prepare('SELECT count(*) FROM agent_runs').pluck().get(), 500);
  assert.equal(handle.thread, undefined);
  assert.ok(thread);
  await assert.rejects(create(handle), { code: 'unavailable' });
});

test('a second writer on the same database is refused, naming the holder', async (t) => {
  const { path, handle } = await openWriter(t);
  const config = testConfig(temporaryDirectory(t), { TELEMETRY_DB_PATH: path });
  const options = { config, gate: new Gate(), log: new Recorder().logger, onFatal: () => undefined };
  await assert.rejects(new WriterHandle(options).open(), {
    code: 'refused',
    message: new RegExp(`pid ${process.pid} `),
  });
  assert.ok(await create(handle));
});

test('the thread of a closed writer ends by itself', async (t) => {
  const { handle } = await openWriter(t);
  const thread = handle.thread;
  assert.ok(thread);
  const exited = once(thread, 'exit');
  await handle.close();
  assert.deepEqual(await exited, [0]);
});
