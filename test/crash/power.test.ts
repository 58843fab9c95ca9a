import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CutFileSystem, whyNot } from './file-system.ts';
import { Site, UNSAFE } from './power-cut.ts';

const reason = whyNot();
const options = { skip: reason === undefined ? false : `cutting the power ${reason}` };

/** Cuts the power in the very turn in which the last of so many answers arrives. @returns what was lost, a cut */
async function lostByCuts(t: TestContext, script?: string): Promise<string[][]> {
  const fileSystem = new CutFileSystem();
  const site = new Site({ fileSystem, name: 'site', seed: 20_260_110, script });
  t.after(async () => {
    await site[Symbol.asyncDispose]();
    fileSystem[Symbol.dispose]();
  });
  const lost: string[][] = [];
  for (const acknowledgements of [2, 20]) {
    await site.cut(1, { acknowledgements, delayMs: 0 }, true);
    const verdict = await site.judge();
    assert.deepEqual(verdict.wrong, []);
    lost.push(verdict.lost);
  }
  return lost;
}

test('Nothing acknowledged is lost at a power cut', options, async (t) => {
  assert.deepEqual(await lostByCuts(t), [[], []]);
});

test('Without the sync of the directory a power cut loses what was acknowledged', options, async (t) => {
  const lost = await lostByCuts(t, UNSAFE);
  assert.notDeepEqual(lost, [[], []]);
});
