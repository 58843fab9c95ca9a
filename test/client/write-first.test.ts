import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppendFile } from '../../src/client/append.ts';
import { aClient, backupLines, fakeClock, linesIn, realClock, spoolNames } from '../support/client.ts';
import { temporaryDirectory } from '../support/service.ts';

test('when a call returns, the spool holds the whole record as it then is, before any request', (t) => {
  const { client, spool, directory, transport } = aClient(t, { agentOwner: 'team' });
  const run = client.startRun('agent', 'job', { product: 'slides' });
  client.setMetrics(run, { items_discovered: 4, metrics_json: { pages: [1, 2] } });
  client.endRun(run, 'completed', { items_succeeded: 3 });
  const [started, changed, ended, ...others] = linesIn(spool);
  assert.deepEqual([others, transport.asked], [[], []]);
  for (const line of [started, changed, ended]) {
    const { run_id, agent_name, job_type, agent_owner, product, trigger_type } = line ?? {};
    const said = [run_id, agent_name, job_type, agent_owner, product, trigger_type];
    assert.deepEqual(said, [run, 'agent', 'job', 'team', 'slides', 'cli']);
  }
  assert.deepEqual([started?.status, started?.items_discovered], ['running', undefined]);
  assert.deepEqual([changed?.items_discovered, changed?.metrics_json], [4, { pages: [1, 2] }]);
  assert.deepEqual([ended?.status, ended?.items_discovered, ended?.items_succeeded], ['success', 4, 3]);
  assert.deepEqual(
    linesIn(spool).map((line) => ({ record_type: 'run', ...line })),
    backupLines(directory),
  );
});

test('a spool file stays until the last of its lines is acknowledged, then it goes', async (t) => {
  const { client, spool, transport } = aClient(t);
  const early = client.startRun('agent', 'early');
  await client.flush();
  assert.deepEqual(spoolNames(spool), []);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  transport.script = () => promise as never;
  client.endRun(early);
  await transport.asks(2);
  const late = client.startRun('agent', 'late');
  assert.equal(linesIn(spool).length, 2);
  resolve(undefined);
  await transport.asks(3);
  assert.equal(linesIn(spool).length, 2);
  await client.flush();
  assert.deepEqual(spoolNames(spool), []);
  client.endRun(late);
  assert.equal(linesIn(spool).length, 1);
});

test('a full spool file is sealed and another begun, and all go in the end', async (t) => {
  const { client, spool, transport } = aClient(t, { bufferMaxSizeMb: 0.01 });
  for (let n = 0; n < 40; n++) client.endRun(client.startRun('agent', 'job', { input_summary: 'x'.repeat(1_000) }));
  assert.ok(spoolNames(spool, '.sealed').length >= 8);
  assert.ok(spoolNames(spool, '.live').length <= 1);
  assert.equal(linesIn(spool).length, 80);
  assert.equal(await client.flush(), true);
  assert.deepEqual(spoolNames(spool), []);
  assert.equal(transport.store.runs.size, 40);
});

test('sealed files do not keep a descriptor each', { skip: process.platform !== 'linux' }, (t) => {
  const { client, spool, transport } = aClient(t, { bufferMaxSizeMb: 0.001, fsync: 'off' });
  transport.script = transport.hanging;
  const open = (): number => readdirSync('/proc/self/fd').length;
  client.startRun('agent', 'job');
  const before = open();
  for (let n = 0; n < 100; n++) client.startRun('agent', 'job', { input_summary: 'x'.repeat(2_000) });
  assert.ok(spoolNames(spool, '.sealed').length >= 100);
  assert.ok(open() - before < 10, `${open() - before} descriptors more`);
});

const TAKEN: Record<string, (spool: string, path: string) => void> = {
  'is deleted': (_spool, path) => unlinkSync(path),
  'is renamed': (_spool, path) => renameSync(path, `${path.slice(0, -'.live'.length)}.ready`),
  'goes with its directory': (spool) => rmSync(spool, { recursive: true }),
};

for (const [what, take] of Object.entries(TAKEN)) {
  test(`when the spool file ${what} under the client, it goes on in a new one and loses nothing`, async (t) => {
    const { client, spool, transport, warnings } = aClient(t);
    const runs = [client.startRun('agent', 'job'), client.startRun('agent', 'job')];
    take(spool, join(spool, spoolNames(spool)[0] as string));
    client.endRun(runs[0] as string, 'partial');
    const own = spoolNames(spool, '.live').at(-1) as string;
    assert.deepEqual(
      linesIn(spool, new RegExp(`^${own}$`)).map(({ status }) => status),
      ['partial'],
    );
    assert.equal(await client.flush(), true);
    assert.deepEqual(
      [...transport.store.runs.values()].map(({ status }) => status),
      ['partial', 'running'],
    );
    assert.deepEqual(warnings, []);
    assert.equal(spoolNames(spool).includes(own), false);
  });
}

test('two flushes of a file may be under way when it is closed', async (t) => {
  const file = new AppendFile(join(temporaryDirectory(t), 'file'), { exclusive: true, policy: 'batch' });
  file.append('{}');
  const flushed = [0, 1].map(() => new Promise<Error | null>((resolve) => file.sync(resolve)));
  file.close();
  assert.deepEqual(await Promise.all(flushed), [null, null]);
});

for (const fsync of ['always', 'batch', 'off'] as const) {
  test(`everything is written and delivered with fsync ${fsync}`, async (t) => {
    const { client, spool, transport, directory } = aClient(t, { fsync });
    for (let n = 0; n < 20; n++) client.endRun(client.startRun('agent', 'job'));
    assert.equal(linesIn(spool).length, 40);
    assert.equal(await client.flush(), true);
    assert.deepEqual([transport.store.runs.size, spoolNames(spool)], [20, []]);
    assert.equal(backupLines(directory).length, 40);
  });
}

test('after close all goes on: what is recorded then is spooled and delivered', async (t) => {
  const { client, spool, transport } = aClient(t);
  const run = client.startRun('agent', 'job');
  await client.close();
  client.endRun(run, 'timeout');
  assert.equal(linesIn(spool).length, 1);
  assert.equal(await client.flush(), true);
  assert.deepEqual(
    [...transport.store.runs.values()].map(({ status }) => status),
    ['timeout'],
  );
  assert.deepEqual(spoolNames(spool), []);
});

test('close leaves what is undelivered sealed, and returns although the service hangs', async (t) => {
  const { client, spool, transport } = aClient(t);
  transport.script = transport.hanging;
  client.endRun(client.startRun('agent', 'job'));
  fakeClock(t, { apis: ['setTimeout'] });
  const closing = client.close();
  await transport.asks(1);
  t.mock.timers.tick(2_000);
  await closing;
  realClock(t);
  assert.deepEqual([spoolNames(spool, '.sealed').length, linesIn(spool).length], [1, 2]);
});
