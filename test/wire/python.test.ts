/** Python as it is: it sends what only Python sends, and reads every answer. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/documents.ts';
import { startService } from '../support/service.ts';

const missing = spawnSync('python3', ['-c', 'pass']).status !== 0 && 'There is no python3 on this machine';

test('Python sends NaN and half emoji, and reads every answer', { skip: missing }, async (t) => {
  const { url } = await startService(t);
  const script = join(ROOT, 'test/wire/python.py');
  // A fault is the script's exit code, and what it says.
  const { stderr } = await promisify(execFile)('python3', [script, url], { timeout: 30_000 });
  assert.equal(stderr, '');
});
