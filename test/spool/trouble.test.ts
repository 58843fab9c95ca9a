/** What is in the way passes, or does not; the service goes on, and the lines are there in the end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeReadOnly, smallDisk } from '../support/disk.ts';
import { openToVerify, type Service, startService, temporaryDirectory } from '../support/service.ts';
import { goodLines, linesOf, rejectedIn } from '../support/spool.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const countIn = ({ path }: Service, t: Parameters<typeof openToVerify>[0]): unknown =>
  openToVerify(t, path).prepare('SELECT count(*) FROM agent_runs').pluck().get();

test('while there is no writer the spool waits, says so once, and loses and repeats nothing', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const service = await startService(t, { TELEMETRY_SYNC_BATCH_SIZE: '1' }, directory);
  const commits = watch(join(directory, 'db'));
  writeFileSync(join(spool, 'a.jsonl.active'), linesOf(...goodLines(300)));
  await once(commits, 'change');
  commits.close();
  await service.platform.writer.thread?.terminate();
  await service.logged(/^The spool waits for the writer$/);
  await service.logged(/^The spool goes on$/);
  const told = await drained(service, 300);
  assert.equal(
    told.reduce((sum, { duplicates }) => sum + Number(duplicates), 0),
    0,
  );
  assert.equal(service.logs.filter(({ message }) => message.startsWith('The spool waits')).length, 1);
  await service.close();
  assert.equal(countIn(service, t), 300);
});

test('when the spool thread dies it is started again, and goes on where it was', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const service = await startService(t, {}, directory);
  appendFileSync(join(spool, 'a.jsonl.active'), linesOf(...goodLines(10)));
  await drained(service, 10);
  await service.platform.spool.thread?.terminate();
  await service.logged(/^The spool thread failed: it ended/);
  appendFileSync(join(spool, 'a.jsonl.active'), linesOf(...goodLines(10)));
  const told = await drained(service, 20);
  assert.equal(told.at(-1)?.inserted, 10);
});

test('a service that closes in the midst of a drain stores the rest after its next start', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  writeFileSync(join(spool, 'a.jsonl.ready'), linesOf(...goodLines(3_000)));
  const environment = { TELEMETRY_SYNC_BATCH_SIZE: '1' };
  const first = await startService(t, environment, directory);
  await first.close();
  const stored = Number(countIn(first, t));
  const second = await startService(t, { TELEMETRY_SYNC_BATCH_SIZE: '1000' }, directory);
  const told = await drained(second, 3_000 - stored);
  assert.equal(
    told.reduce((sum, { inserted }) => sum + Number(inserted), 0),
    3_000 - stored,
  );
  await second.close();
  assert.equal(countIn(second, t), 3_000);
});

test('a line that only the writer finds too large is rejected, and those around it are stored', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  // Twenty-one digits each once they are stored.
  const numbers = Array.from({ length: 100 }, () => '1e20').join(',');
  const [large = ''] = goodLines(1, { metrics_json: { numbers: 'here' } });
  const lines = [...goodLines(5), large.replace('"here"', `[${numbers}]`), ...goodLines(5)];
  writeFileSync(join(spool, 'a.jsonl.active'), linesOf(...lines));
  const service = await startService(t, { TELEMETRY_MAX_BODY_BYTES: '1024' }, directory);
  await drained(service, 10);
  const [{ line, reason } = { line: '', reason: '' }, ...others] = rejectedIn(spool, 'a');
  assert.deepEqual([line, others], [lines[5], []]);
  assert.match(reason, /the run is larger than the 1024 bytes taken for one/);
});

test('while the disk of the database is full the spool waits, and goes on when there is room', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const spool = spoolOf(temporaryDirectory(t));
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));
  const lines = goodLines(200, { output_summary: 'x'.repeat(8_000) });
  writeFileSync(join(spool, 'a.jsonl.active'), linesOf(...lines));
  const service = await startService(t, { TELEMETRY_BUFFER_DIR: spool, TELEMETRY_SYNC_BATCH_SIZE: '10' }, disk);
  const { error_code } = await service.logged(/^The spool waits for the writer$/);
  assert.equal(error_code, 'full');
  rmSync(ballast);
  await drained(service, 200);
  await service.close();
  assert.equal(countIn(service, t), 200);
});

test('while the disk of the spool is full, a line to be rejected waits and nothing is lost', async (t) => {
  const spool = smallDisk(t);
  if (spool === undefined) return;
  const [first = '', second = ''] = goodLines(2);
  writeFileSync(join(spool, 'a.jsonl.active'), linesOf(first, 'x'.repeat(10_000), second));
  fill(join(spool, 'ballast'));
  const service = await startService(t, { TELEMETRY_BUFFER_DIR: spool });
  await service.logged(/^Spool file waits/);
  rmSync(join(spool, 'ballast'));
  await drained(service, 2);
  assert.equal(existsSync(join(spool, 'a.jsonl.rejected')), true);
});

/** Takes all the room that is left. */
function fill(path: string): void {
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        appendFileSync(path, Buffer.alloc(size));
      } catch {
        break;
      }
    }
  }
}

test('a spool that may only be read is stored all the same; what cannot be done is said once', async (t) => {
  const spool = smallDisk(t);
  if (spool === undefined) return;
  writeFileSync(join(spool, 'a.jsonl.ready'), linesOf(...goodLines(3), 'bad'));
  mkdirSync(join(spool, 'b.jsonl.ready'));
  makeReadOnly(spool);
  const service = await startService(t, { TELEMETRY_BUFFER_DIR: spool, TELEMETRY_SYNC_INTERVAL_SECONDS: '1' });
  await service.logged(/^Rejected lines of the spool cannot be written/);
  await service.logged(/cannot be renamed/);
  await drained(service, 3);
  assert.deepEqual(readdirSync(spool).sort(), ['a.jsonl.ready', 'b.jsonl.ready']);
  const complaints = service.logs.filter(({ level }) => level === 'WARNING' || level === 'ERROR');
  assert.equal(new Set(complaints.map(({ message }) => message)).size, complaints.length);
});
