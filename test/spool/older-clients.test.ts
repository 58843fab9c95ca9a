/** Files as older clients leave them, written here by hand. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aRun, startService, temporaryDirectory } from '../support/service.ts';
import { type Fields, goodLines, linesOf, rejectedIn } from '../support/spool.ts';
import { drained, spoolMetrics, spoolOf } from '../support/spool-service.ts';

const STEM = 'telemetry_20260110_120000';

/** A run as an older client writes it down: its creation, and the whole record again at its end. */
function story(): { created: Fields; ended: Fields } {
  const created = aRun({
    schema_version: 6,
    created_at: '2026-01-10T12:00:00+00:00',
    updated_at: '2026-01-10T12:00:00+00:00',
    status: 'running',
    items_discovered: 5,
    metrics_json: null,
  });
  const ended = {
    ...created,
    updated_at: null,
    end_time: '2026-01-10T12:05:00+00:00',
    status: 'failed',
    items_failed: 2,
    error_summary: 'Boom',
    metrics_json: '{"tokens": 12}',
  };
  return { created, ended };
}

const FINAL = {
  status: 'failure',
  items_discovered: 5,
  items_failed: 2,
  error_summary: 'Boom',
  metrics_json: { tokens: 12 },
};

function pick(body: unknown): Fields {
  return Object.fromEntries(Object.keys(FINAL).map((name) => [name, (body as Fields)[name]]));
}

test('a complete file is stored before the port opens: every run in its final state, whatever the order', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const [forward, backward] = [story(), story()];
  const half = { ...story().created, start_time: 'yesterday' };
  const lines = linesOf(forward.created, backward.ended, 'this is no JSON', forward.ended, half, backward.created);
  writeFileSync(join(spool, `${STEM}.jsonl.ready`), `${lines}{"event_id": "torn", "run_`);
  const service = await startService(t, {}, directory);
  for (const { created } of [forward, backward]) {
    const { status, body } = await service.request('GET', `/api/v1/runs/${String(created.event_id)}`);
    assert.equal(status, 200);
    assert.deepEqual(pick(body), FINAL);
  }

  await service.logged(/is synced/);
  assert.deepEqual(readdirSync(spool).sort(), [`${STEM}.jsonl.rejected`, `${STEM}.jsonl.synced`]);
  const rejected = rejectedIn(spool, STEM);
  assert.deepEqual(
    rejected.map(({ line }) => line),
    ['this is no JSON', JSON.stringify(half), '{"event_id": "torn", "run_'],
  );
  const reasons = [/not valid JSON/, /^start_time: Input should be an ISO 8601 timestamp/, /torn/];
  for (const [index, reason] of reasons.entries()) assert.match(rejected[index]?.reason ?? '', reason);
  const spoken = { files: 0, pending_bytes: 0, lag_seconds: 0, stored: 4, rejected: 3 };
  const { body } = await service.request('GET', '/metrics');
  assert.equal((body as Fields).total_runs, 2);
  const { files, ...counts } = await spoolMetrics(service);
  assert.ok(files === 0 || files === 1, 'the renamed file is gone with the next look');
  assert.deepEqual({ files: 0, ...counts }, spoken);
  const warned = service.logs.filter(({ message }) => message === 'Lines of the spool were rejected');
  assert.deepEqual(
    warned.map(({ file, lines: count }) => [file, count]),
    [
      [STEM, 2],
      [STEM, 1],
    ],
  );
});

test('an active file is read while it grows, and goes on when its client renames it', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const service = await startService(t, {}, directory);
  const active = join(spool, `${STEM}.jsonl.active`);
  const lines = goodLines(300);
  const text = linesOf(...lines);
  for (let at = 0, sent = 0; at < text.length; at += 7_001) {
    appendFileSync(active, text.slice(at, at + 7_001));
    const whole = text.slice(0, at + 7_001).split('\n').length - 1;
    if (whole > sent + 100 || whole === lines.length) {
      await drained(service, whole);
      sent = whole;
    }
  }
  appendFileSync(active, linesOf(...goodLines(1)));
  renameSync(active, join(spool, `${STEM}.jsonl.ready`));
  await service.logged(/is synced/);
  const told = await drained(service, 301);
  assert.deepEqual(
    ['inserted', 'merged', 'duplicates', 'rejected'].map((name) =>
      told.reduce((sum, line) => sum + Number(line[name]), 0),
    ),
    [301, 0, 0, 0],
  );
  assert.deepEqual(readdirSync(spool), [`${STEM}.jsonl.synced`]);
});

test('a file that appears in a directory that was not there is found', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startService(t, { TELEMETRY_BUFFER_DIR: join(directory, 'elsewhere') }, directory);
  writeFileSync(join(directory, 'elsewhere', 'any.jsonl.active'), linesOf(...goodLines(2)));
  await drained(service, 2);
  const { files, pending_bytes, stored } = await spoolMetrics(service);
  assert.deepEqual({ files, pending_bytes, stored }, { files: 1, pending_bytes: 0, stored: 2 });
});
