import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Watch } from '../../../src/actors/spool/watch.ts';
import { folder } from '../../support/database.ts';

const LONG_MS = 600_000;
const BOUNDED = { timeout: 30_000 };

/** A watch that has seen all that was there before. */
async function watching(t: TestContext, directory: string): Promise<Watch> {
  const watch = new Watch(directory, 1);
  t.after(() => watch.close());
  await watch.wait(0);
  return watch;
}

test('a spool file that comes, grows or goes ends the wait', BOUNDED, async (t) => {
  const directory = folder(t);
  const watch = await watching(t, directory);
  const path = join(directory, 'a.jsonl.live');
  for (const change of [
    () => writeFileSync(path, 'x'),
    () => writeFileSync(path, 'y', { flag: 'a' }),
    () => renameSync(path, join(directory, 'a.jsonl.ready')),
  ]) {
    const waited = watch.wait(LONG_MS);
    change();
    await waited;
  }
});

test('what happens between two waits ends the next one at once', BOUNDED, async (t) => {
  const directory = folder(t);
  const watch = await watching(t, directory);
  const first = watch.wait(LONG_MS);
  writeFileSync(join(directory, 'a.jsonl.live'), 'x');
  await first;
  writeFileSync(join(directory, 'b.jsonl.live'), 'x');
  await watch.wait(LONG_MS);
});

test('without a directory the time is up when it is, and one that comes is watched', BOUNDED, async (t) => {
  const directory = join(folder(t), 'later');
  const watch = await watching(t, directory);
  await watch.wait(1);
  mkdirSync(directory);
  await watch.wait(LONG_MS);
  const waited = watch.wait(LONG_MS);
  writeFileSync(join(directory, 'a.jsonl.live'), 'x');
  await waited;
  rmSync(directory, { recursive: true });
  await watch.wait(1);
});

test('closing ends the wait', BOUNDED, async (t) => {
  const watch = await watching(t, folder(t));
  const waited = watch.wait(LONG_MS);
  watch.close();
  await waited;
});
