import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aClient, type ClientBench, linesIn, spoolNames, textLines } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { makeReadOnly, smallDisk } from '../support/disk.ts';

interface FullDisk extends ClientBench {
  disk: string;
  makeRoom: () => void;
}

/** A client on a disk that is full but for a few lines. */
function onFullDisk(t: TestContext): FullDisk | undefined {
  const disk = smallDisk(t);
  if (disk === undefined) return undefined;
  const bench = aClient(t, {}, disk);
  bench.client.startRun('agent', 'first');
  const ballast = join(disk, 'ballast');
  try {
    for (let n = 0; n < 1_000; n++) writeFileSync(ballast, Buffer.alloc(4_096), { flag: 'a' });
  } catch {
    // It is full now.
  }
  return { ...bench, disk, makeRoom: () => rmSync(ballast) };
}

/** Records until the spool takes no more. @returns how many runs */
async function fill({ client }: ClientBench): Promise<number> {
  for (let count = 1; count <= 500; count++) {
    client.endRun(client.startRun('agent', `job ${count}`, { input_summary: 'x'.repeat(700) }));
    if ((await client.getStats()).delivery.not_spooled > 20) return count;
  }
  throw new Error('The disk does not get full');
}

const statuses = ({ transport }: ClientBench): Map<unknown, number> => {
  const counts = new Map<unknown, number>();
  for (const { status } of transport.store.runs.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
};

test('on a full disk the agent goes on, one warning tells, and the service gets everything all the same', async (t) => {
  const bench = onFullDisk(t);
  if (!bench) return;
  const { client, spool, warnings, transport } = bench;
  transport.script = BROKEN;
  const count = await fill(bench);
  const { delivery } = await client.getStats();
  assert.ok(delivery.not_spooled > 20 && delivery.not_backed_up > 20);
  assert.equal(delivery.lost, 0);
  assert.equal(warnings.filter((warning) => /the spool .* cannot be written \(ENOSPC/.test(warning)).length, 1);
  assert.equal(warnings.filter((warning) => /the backup .* cannot be written \(ENOSPC/.test(warning)).length, 1);
  // Not one torn line, though many writes were cut off.
  assert.ok(linesIn(spool).length > 0);
  transport.script = () => undefined;
  assert.equal(await client.flush(), true);
  assert.deepEqual(
    [...statuses(bench)],
    [
      ['running', 1],
      ['success', count],
    ],
  );
  assert.deepEqual(spoolNames(spool), []);
});

test('once the disk has room again the next records are whole lines, in spool and backup', async (t) => {
  const bench = onFullDisk(t);
  if (!bench) return;
  const { client, disk, spool, transport, makeRoom } = bench;
  transport.script = BROKEN;
  await fill(bench);
  makeRoom();
  const run = client.startRun('agent', 'after', { input_summary: 'y'.repeat(700) });
  client.endRun(run);
  assert.deepEqual(
    linesIn(spool)
      .slice(-2)
      .map(({ job_type, status }) => [job_type, status]),
    [
      ['after', 'running'],
      ['after', 'success'],
    ],
  );
  const [name = ''] = readdirSync(join(disk, 'raw'));
  const lines = readFileSync(join(disk, 'raw', name), 'utf8').split('\n');
  assert.deepEqual(
    lines.slice(-3, -1).map((line) => (JSON.parse(line) as { job_type: string }).job_type),
    ['after', 'after'],
  );
  assert.equal(lines.filter((line) => line === '').length, 1, 'there are empty lines in the backup');
  const torn = textLines(lines.join('\n')).filter((line) => !line.endsWith('}'));
  assert.ok(torn.length <= 25);
});

test('with disk and memory full what is lost is counted and warned of once, and what fits is kept', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  makeReadOnly(disk);
  const { client, transport, warnings } = aClient(t, { maxQueuedRuns: 10 }, disk);
  transport.script = BROKEN;
  const runs = Array.from({ length: 30 }, () => client.startRun('agent', 'job'));
  for (const run of runs.slice(0, 10)) client.endRun(run, 'partial');
  assert.equal((await client.getStats()).delivery.lost, 20);
  assert.equal(warnings.filter((warning) => warning.includes('is lost')).length, 1);
  transport.script = () => undefined;
  assert.equal(await client.flush(), true);
  assert.deepEqual(
    [...transport.store.runs.values()].map(({ status }) => status),
    Array(10).fill('partial'),
  );
  // Memory has room again: a run whose start was lost comes as a whole with its end.
  client.endRun(runs[25] as string, 'timeout');
  assert.equal(await client.flush(), true);
  assert.equal([...transport.store.runs.values()].at(-1)?.status, 'timeout');
});

test('a file of the spool that was made on a full disk and never written to does not stay', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const { client, spool, transport } = aClient(t, {}, disk);
  client.startRun('agent', 'job');
  await client.flush();
  // Files can be made, but not written to.
  const large = 'x'.repeat(90_000);
  const fields = { input_summary: large, output_summary: large, error_summary: large, error_details: large };
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(2_900_000));
  client.startRun('agent', 'large', fields);
  assert.equal((await client.getStats()).delivery.not_spooled, 1);
  assert.equal(await client.flush(), true);
  await client.close();
  assert.equal(transport.store.runs.size, 2);
  assert.deepEqual(spoolNames(spool), []);
});
