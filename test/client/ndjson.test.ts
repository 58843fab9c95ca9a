import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aClient, backupLines, fakeClock, linesIn, realClock, textLines } from '../support/client.ts';
import { makeReadOnly, smallDisk } from '../support/disk.ts';

const MOCK = { testMode: 'mock' } as const;

test('every state of a run and every event is a line of the day’s file, in its order', (t) => {
  const { client, directory } = aClient(t, MOCK);
  fakeClock(t, { apis: ['Date'], now: Date.parse('2026-01-10T23:59:59.900Z') });
  const run = client.startRun('agent', 'job');
  client.logEvent(run, 'checkpoint', { step: 1 });
  client.logEvent(run, 'nothing');
  client.endRun(run);
  realClock(t);
  assert.deepEqual(readdirSync(join(directory, 'raw')), ['events_20260110.ndjson']);
  const [started, event, bare, ended] = backupLines(directory);
  assert.deepEqual(
    [started?.record_type, started?.status, ended?.record_type, ended?.status],
    ['run', 'running', 'run', 'success'],
  );
  assert.deepEqual(event, {
    record_type: 'event',
    run_id: run,
    event_type: 'checkpoint',
    timestamp: '2026-01-10T23:59:59.900000+00:00',
    payload_json: { step: 1 },
  });
  assert.equal(bare?.payload_json, null);
});

test('at midnight the next file is begun', (t) => {
  const { client, directory } = aClient(t, MOCK);
  fakeClock(t, { apis: ['Date'], now: Date.parse('2026-01-10T23:59:59Z') });
  client.logEvent('run', 'before');
  t.mock.timers.tick(1_000);
  client.logEvent('run', 'after');
  realClock(t);
  const names = readdirSync(join(directory, 'raw')).sort();
  assert.deepEqual(names, ['events_20260110.ndjson', 'events_20260111.ndjson']);
  assert.deepEqual(
    backupLines(directory).map(({ event_type }) => event_type),
    ['before', 'after'],
  );
});

test('with the clock set back by a day what follows goes into the file of that day', (t) => {
  const { client, directory } = aClient(t, MOCK);
  const now = Date.parse('2026-01-10T12:00:00Z');
  fakeClock(t, { apis: ['Date'], now });
  client.logEvent('run', 'before');
  t.mock.timers.setTime(now - 24 * 3_600_000);
  for (const type of ['after', 'later']) client.logEvent('run', type);
  realClock(t);
  const lines = (day: string): unknown[] =>
    linesIn(join(directory, 'raw'), new RegExp(`^events_${day}.ndjson$`)).map(({ event_type }) => event_type);
  assert.deepEqual([lines('20260110'), lines('20260109')], [['before'], ['after', 'later']]);
});

for (const [what, take] of [
  ['deleted', (path: string) => rmSync(path)],
  ['rotated', (path: string) => renameSync(path, `${path}.1`)],
  ['deleted with its directory', (path: string) => rmSync(join(path, '..'), { recursive: true })],
] as const) {
  test(`a file that was ${what} is made anew within a second`, (t) => {
    const { client, directory } = aClient(t, MOCK);
    fakeClock(t, { apis: ['Date'], now: Date.parse('2026-01-10T12:00:00Z') });
    client.logEvent('run', 'before');
    take(join(directory, 'raw', 'events_20260110.ndjson'));
    t.mock.timers.tick(1_000);
    client.logEvent('run', 'after');
    realClock(t);
    assert.deepEqual(
      backupLines(directory).map(({ event_type }) => event_type),
      ['after'],
    );
  });
}

test('a backup that cannot be written costs the spool nothing, and is warned of once', (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  makeReadOnly(disk);
  const { client, spool, warnings } = aClient(t, { ...MOCK, ndjsonDir: join(disk, 'raw') });
  for (let n = 0; n < 5; n++) client.endRun(client.startRun('agent', 'job'));
  assert.equal(textLines(readFileSync(join(spool, readdirSync(spool)[0] as string), 'utf8')).length, 10);
  assert.deepEqual(warnings.length, 1);
  assert.match(String(warnings[0]), /the backup .* cannot be written/);
});
