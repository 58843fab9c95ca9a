import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aClient, linesIn, runAgent, spoolNames } from '../support/client.ts';
import { fakeService } from '../support/fake-service.ts';
import { aRun, temporaryDirectory } from '../support/service.ts';

const MERGE = '/api/v1/runs/batch?on_duplicate=merge';
const LONG_AGO = Date.now() / 1_000 - 3_600;
const stem = (digit: string): string => `telemetry_20260110T120000_${digit.repeat(16)}.jsonl`;

/** A base directory with an empty spool. */
function aSpool(t: TestContext): { directory: string; spool: string } {
  const directory = temporaryDirectory(t);
  const spool = join(directory, 'buffer');
  mkdirSync(spool);
  return { directory, spool };
}

function leave(spool: string, name: string, lines: readonly string[]): void {
  writeFileSync(join(spool, name), lines.map((line) => `${line}\n`).join(''));
  utimesSync(join(spool, name), LONG_AGO, LONG_AGO);
}

/** What opens, but cannot be read. */
function leaveUnreadable(spool: string, name: string): void {
  mkdirSync(join(spool, name));
  utimesSync(join(spool, name), LONG_AGO, LONG_AGO);
}

/** Turns of the event loop in which all that does not wait for a timer or a file comes about. */
async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

const line = (eventId: string): string => JSON.stringify(aRun({ event_id: eventId, agent_name: 'dead' }));

test('a bad line of a leftover is kept in .rejected once, however often the service was away', async (t) => {
  const { directory, spool } = aSpool(t);
  leave(spool, `${stem('a')}.sealed`, [line('one'), 'not JSON', line('bad'), line('two')]);
  const { client, transport } = aClient(t, {}, directory);
  transport.store.refuses = ({ event_id }) => (event_id === 'bad' ? 'no' : undefined);
  // Of what is halved, the first part is taken with its bad line, and the second meets a service that is away.
  transport.script = ({ path, body }) =>
    path === MERGE ? [undefined, { status: 503 }, undefined, { status: 413 }][(body as unknown[]).length] : undefined;
  client.startRun('living', 'job');
  for (let attempt = 1; attempt <= 5; attempt++) {
    await transport.asks(1 + 3 * attempt);
    await turns();
    // It ends the pause between two attempts.
    await client.flush(0);
  }
  assert.ok((await client.getStats()).delivery.failed_attempts >= 5);
  transport.script = () => undefined;
  await client.close();
  assert.deepEqual(
    linesIn(spool, /\.rejected$/)
      .map(({ reason }) => reason)
      .sort(),
    ['bad: no', 'not a record of a run'],
  );
  assert.deepEqual([...transport.store.runs.keys()].slice(1).sort(), ['one', 'two']);
  assert.deepEqual(spoolNames(spool), [`${stem('a')}.rejected`]);
});

test('a leftover that cannot be read holds up neither other leftovers nor what this client has on disk', async (t) => {
  const { directory, spool } = aSpool(t);
  leaveUnreadable(spool, `${stem('a')}.sealed`);
  leaveUnreadable(spool, `${stem('b')}.live`);
  leave(spool, `${stem('c')}.live`, [line('one')]);
  const { client, transport, warnings } = aClient(t, { maxQueuedRuns: 1 }, directory);
  client.startRun('living', 'first');
  await client.close();
  assert.deepEqual((await client.getStats()).delivery.last_error, null);
  assert.equal(transport.store.runs.size, 2);
  for (let n = 0; n < 5; n++) client.endRun(client.startRun('living', `job ${n}`), 'partial');
  assert.ok((await client.getStats()).delivery.overflowed > 0);
  assert.equal(await client.flush(), true);
  assert.equal([...transport.store.runs.values()].filter(({ status }) => status === 'partial').length, 5);
  assert.equal((await client.getStats()).delivery.failed_attempts, 0);
  assert.deepEqual(spoolNames(spool), [`${stem('a')}.sealed`, `${stem('b')}.sealed`]);
  assert.equal(warnings.filter((warning) => warning.includes('cannot be read back')).length, 1);
});

test('an agent that starts, records one run and closes delivers what dead processes have left', async (t) => {
  const { directory, spool } = aSpool(t);
  const service = await fakeService(t);
  for (const digit of ['a', 'b', 'c']) {
    const lines = Array.from({ length: 250 }, (_each, n) => line(`left-${digit}-${n}`));
    leave(spool, `${stem(digit)}.${digit === 'b' ? 'sealed' : 'live'}`, lines);
  }
  const { code, stderr } = await runAgent(
    `{
      await using client = new TelemetryClient({ git: false });
      client.endRun(client.startRun('agent', 'job'));
    }
    process.exit(0);`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service.url },
  );
  assert.deepEqual([code, stderr, service.store.runs.size, spoolNames(spool)], [0, '', 751, []]);
});
