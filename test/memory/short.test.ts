/** The short form of `npm run test:memory`: attacks that are over within seconds, by what is resident. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localEnvironment, temporaryDirectory } from '../support/service.ts';
import { SHORT } from './attacks.ts';
import { startBoxed } from './box.ts';

const MIB = 1024 * 1024;
const linux = { timeout: 60_000, skip: process.platform !== 'linux' && 'memory is measured on Linux only' };

test('small chunks and compressed bombs take no more of the service than their bounds', linux, async (t) => {
  const boxed = await startBoxed(localEnvironment(temporaryDirectory(t)), undefined);
  t.after(() => boxed.end());
  const before = boxed.peak();
  for (const [name, attack] of Object.entries(SHORT)) {
    const end = new AbortController();
    await attack(boxed.url, end.signal);
    assert.equal((await fetch(`${boxed.url}/health`)).status, 200, name);
    end.abort();
  }
  assert.ok(boxed.peak() - before < 300 * MIB, `${(boxed.peak() - before) / MIB} MiB more than at rest`);
});
