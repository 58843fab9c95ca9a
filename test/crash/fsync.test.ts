import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Line, spoolNames, textLines } from '../support/client.ts';
import { CutFileSystem, whyNot } from './file-system.ts';

const AGENT = fileURLToPath(new URL('./fsync-agent.ts', import.meta.url));
const reason = whyNot();
const options = { skip: reason === undefined ? false : `cutting the power ${reason}` };

interface Cut {
  returned: number;
  /** Milliseconds between the end of their calls and the cut. */
  lostAges: number[];
  /** Nothing is lost that is older than something kept. */
  newestOnly: boolean;
}

/** The power goes once so many runs have been recorded. @returns which of them the disk does not have */
async function cutPower(t: TestContext, fsync: string, runs: number): Promise<Cut> {
  const fileSystem = new CutFileSystem();
  t.after(() => fileSystem[Symbol.dispose]());
  const directory = join(fileSystem.mountPoint, 'agent');
  const agent = spawn(process.execPath, [AGENT, directory, fsync], { stdio: ['ignore', 'pipe', 'inherit'] });
  const returned = new Map<string, number>();
  let at = 0;
  const lines = createInterface({ input: agent.stdout });
  lines.on('line', (line) => {
    const [eventId = '', time] = line.split(' ');
    returned.set(eventId, Number(time));
    if (returned.size !== runs) return;
    // Frozen first: what it has said by then was said before the cut.
    agent.kill('SIGSTOP');
    at = Date.now();
    fileSystem.cut();
    agent.kill('SIGKILL');
  });
  await Promise.all([once(agent, 'exit'), once(lines, 'close')]);
  fileSystem.restore();
  const spool = join(directory, 'buffer');
  const whole = wholeLines(spool);
  const order = [...returned];
  const lostAges = order.filter(([eventId]) => !whole.has(eventId)).map(([, time]) => at - time);
  // From the first that is lost on, all are.
  const kept = order.findIndex(([eventId]) => !whole.has(eventId));
  const newestOnly = kept === -1 || kept === order.length - lostAges.length;
  return { returned: returned.size, lostAges, newestOnly };
}

/** The runs whose end is on the disk. A cut may leave a torn line, which is no record. */
function wholeLines(spool: string): Set<unknown> {
  const lines = spoolNames(spool).flatMap((name) => textLines(readFileSync(join(spool, name), 'utf8')));
  return new Set(lines.map(recordIn).flatMap((record) => (record?.status === 'success' ? [record.event_id] : [])));
}

function recordIn(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

test('with fsync `always` a power cut loses nothing whose call has returned', options, async (t) => {
  for (const runs of [1, 50, 300]) {
    const { returned, lostAges } = await cutPower(t, 'always', runs);
    assert.ok(returned >= runs);
    assert.deepEqual(lostAges, []);
  }
});

test(
  'with fsync `batch` a power cut loses the last moments only, with `off` it loses much more',
  options,
  async (t) => {
    const batch = await cutPower(t, 'batch', 800);
    const off = await cutPower(t, 'off', 800);
    t.diagnostic(
      `batch: ${batch.lostAges.length} of ${batch.returned}, up to ${Math.max(0, ...batch.lostAges)} ms old`,
    );
    t.diagnostic(`off: ${off.lostAges.length} of ${off.returned}, up to ${Math.max(0, ...off.lostAges)} ms old`);
    assert.ok(batch.newestOnly, 'an older run is lost beside a newer one that is kept');
    assert.ok(off.lostAges.length > 2 * batch.lostAges.length, 'flushing in the background makes no difference');
    assert.ok(off.lostAges.length > off.returned / 2, 'the cut has lost too little to prove anything');
  },
);
