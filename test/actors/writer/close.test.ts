import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Gate } from '../../../src/actors/gate.ts';
import { WriterHandle } from '../../../src/actors/writer/handle.ts';
import { testConfig } from '../../support/config.ts';
import { aRun, openToVerify, Recorder, temporaryDirectory } from '../../support/service.ts';

/** One that never ends must fail, not hang. */
const BOUNDED = { timeout: 20_000 };

async function openWriter(t: TestContext): Promise<{ handle: WriterHandle; path: string }> {
  const config = testConfig(temporaryDirectory(t));
  const log = new Recorder().logger;
  const handle = new WriterHandle({ config, gate: new Gate(), log, onFatal: () => undefined });
  await handle.open();
  return { handle, path: config.database.path };
}

const create = (handle: WriterHandle): Promise<unknown> =>
  handle.send('create', {}, Buffer.from(JSON.stringify(aRun())));

test('closing a writer whose thread has just died ends', BOUNDED, async (t) => {
  const { handle } = await openWriter(t);
  const terminated = handle.thread?.terminate();
  // Its exit has not been told yet: it is asked to close, and does not answer.
  assert.ok(handle.thread);
  await handle.close();
  await terminated;
  assert.equal(handle.thread, undefined);
});

test('closing a writer whose thread dies meanwhile ends', BOUNDED, async (t) => {
  const { handle } = await openWriter(t);
  const closing = handle.close();
  const terminated = handle.thread?.terminate();
  await Promise.all([closing, terminated]);
  assert.equal(handle.thread, undefined);
});

test('closing a writer that dies over its last commands ends, and each of them is settled', BOUNDED, async (t) => {
  const { handle, path } = await openWriter(t);
  const sent = Promise.allSettled(Array.from({ length: 200 }, () => create(handle)));
  const closing = handle.close();
  const terminated = handle.thread?.terminate();
  await Promise.all([closing, terminated]);
  const acknowledged = (await sent).filter(({ status }) => status === 'fulfilled').length;
  const stored = openToVerify(t, path).prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  assert.ok(stored >= acknowledged, `${stored} stored, ${acknowledged} acknowledged`);
});
