import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient, fakeClock, linesIn, realClock } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { create, serviceOfFile, shown } from '../support/http.ts';

const service = serviceOfFile();
const HASH = 'abc1234def';

test('a commit is noted of a run that has ended, and the service has it when the promise resolves', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const event_id = 'with-commit';
  const run = client.startRun('agent', 'job', { event_id });
  client.endRun(run, 'partial');
  const timestamp = new Date('2026-01-10T12:00:00Z');
  const { ok, message } = await client.associateCommit(run, HASH, 'llm', {
    author: 'Ada <ada@example.org>',
    timestamp,
  });
  assert.deepEqual({ ok, message }, { ok: true, message: 'The commit is stored' });
  const stored = await shown(service(), event_id);
  const { status, git_commit_hash, git_commit_source, git_commit_author, git_commit_timestamp } = stored;
  assert.deepEqual(
    [status, git_commit_hash, git_commit_source, git_commit_author, git_commit_timestamp],
    ['partial', HASH, 'llm', 'Ada <ada@example.org>', '2026-01-10T12:00:00.000Z'],
  );
});

test('a run of another process is found by the service', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const { event_id, run_id } = await create(service(), { run_id: 'elsewhere & more' });
  assert.deepEqual(await client.associateCommit(String(run_id), HASH, 'ci'), {
    ok: true,
    message: 'The commit is stored',
  });
  const { git_commit_hash, git_commit_source } = await shown(service(), event_id);
  assert.deepEqual([git_commit_hash, git_commit_source], [HASH, 'ci']);
});

test('a run that nobody knows is said to be unknown', async (t) => {
  const { client } = aClient(t, { apiUrl: service().url });
  const { ok, message } = await client.associateCommit('nobody', HASH);
  assert.equal(ok, false);
  assert.match(message, /No run nobody is known here, nor to the service/);
});

test('a wrong hash or source is refused with what would be right, and nothing is recorded', async (t) => {
  const { client, spool } = aClient(t);
  const run = client.startRun('agent', 'job');
  for (const hash of ['abc', 'x'.repeat(65), 'abc..def', 'abc def1', '', undefined, 5]) {
    const { ok, message } = await client.associateCommit(run, hash as never);
    assert.equal(ok, false);
    assert.match(message, /7 to 64/);
  }
  const { ok, message } = await client.associateCommit(run, HASH, 'human' as never);
  assert.deepEqual([ok, message.includes("'manual', 'llm' or 'ci'")], [false, true]);
  assert.equal(linesIn(spool).length, 1);
});

test('details that make no sense are left out, the commit is noted', async (t) => {
  const { client, spool } = aClient(t);
  const run = client.startRun('agent', 'job');
  const details = { author: '', timestamp: new Date(NaN) };
  assert.equal((await client.associateCommit(run, HASH, 'manual', details)).ok, true);
  await client.close();
  const { client: other } = aClient(t, { testMode: 'mock' }, spool.slice(0, -'/buffer'.length));
  const again = other.startRun('agent', 'job');
  await other.associateCommit(again, HASH, 'manual', details);
  const state = linesIn(spool).at(-1);
  assert.deepEqual(
    [state?.git_commit_hash, state?.git_commit_author, state?.git_commit_timestamp],
    [HASH, undefined, undefined],
  );
});

test('while the service is down a commit of a known run is safe on disk, that of another cannot be noted', async (t) => {
  const { client, spool, transport } = aClient(t);
  transport.script = BROKEN;
  const run = client.startRun('agent', 'job');
  const { ok, message } = await client.associateCommit(run, HASH);
  assert.deepEqual([ok, message], [true, 'The commit is recorded, and waits on disk']);
  assert.equal(linesIn(spool).at(-1)?.git_commit_hash, HASH);
  assert.equal((await client.associateCommit('nobody', HASH)).ok, false);
});

test('a service that hangs holds a commit up for 2 s, of a run known here or not', async (t) => {
  const { client, transport } = aClient(t);
  transport.script = transport.hanging;
  const run = client.startRun('agent', 'job');
  fakeClock(t, { apis: ['setTimeout'] });
  for (const [index, [runId, ok]] of (
    [
      [run, true],
      ['nobody', false],
    ] as const
  ).entries()) {
    const noting = client.associateCommit(runId, HASH);
    await transport.asks(index + 1);
    t.mock.timers.tick(2_000);
    const late = new Promise((resolve) => setImmediate(() => setImmediate(() => resolve({ ok: 'late' }))));
    assert.equal(((await Promise.race([noting, late])) as { ok: unknown }).ok, ok);
  }
  realClock(t);
});
