/** bin/local-telemetry: which Node.js it takes, in a checkout made of stand-ins. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { folder } from '../support/database.ts';
import { ROOT } from './support.ts';

const NODE = 'node_modules/.bin/node';

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** @param nodes what stands where: the lines of a program each, that is in the checkout or in PATH */
function launch(t: TestContext, nodes: { own?: string; inPath?: string }): Ended {
  const root = folder(t);
  for (const name of ['bin', 'node_modules/.bin', 'path']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(join(ROOT, 'bin/local-telemetry'), join(root, 'bin/local-telemetry'));
  for (const tool of ['dirname', 'readlink']) symlinkSync(join('/usr/bin', tool), join(root, 'path', tool));
  const put = (path: string, text: string): void => writeFileSync(join(root, path), text, { mode: 0o755 });
  if (nodes.own !== undefined) put(NODE, nodes.own);
  if (nodes.inPath !== undefined) put('path/node', nodes.inPath);
  symlinkSync('bin/local-telemetry', join(root, 'linked'));
  const options = { encoding: 'utf8', env: { PATH: join(root, 'path') }, timeout: 10_000 } as const;
  return spawnSync('/bin/sh', [join(root, 'linked'), 'doctor', 'a b'], options);
}

const says = (name: string): string => `#!/bin/sh\n[ "$1" = --version ] && exit 0\necho ${name} "$#" "$3"\n`;
/** As a program for another C library fails: the file is there, what loads it is not. */
const FOREIGN = '#!/lib/no-such-loader\n';

test('the Node.js of the checkout is taken, with all words', { skip: process.platform === 'win32' }, (t) => {
  assert.equal(launch(t, { own: says('own'), inPath: says('path') }).stdout, 'own 3 a b\n');
});

test('where it is missing or does not run, the one in PATH is', { skip: process.platform === 'win32' }, (t) => {
  assert.equal(launch(t, { inPath: says('path') }).stdout, 'path 3 a b\n');
  const foreign = launch(t, { own: FOREIGN, inPath: says('path') });
  assert.deepEqual([foreign.status, foreign.stdout, foreign.stderr], [0, 'path 3 a b\n', '']);
});

test('without any, it says what is missing', { skip: process.platform === 'win32' }, (t) => {
  for (const [nodes, why] of [
    [{}, /^local-telemetry: There is no Node\.js in PATH\. Run npm ci in \S+, which brings it\.\n$/],
    [{ own: FOREIGN }, /^local-telemetry: The Node\.js that npm ci brought does not run on this system, .* Install/],
  ] as const) {
    const { status, stderr } = launch(t, nodes);
    assert.equal(status, 1);
    assert.match(stderr, why);
  }
});
