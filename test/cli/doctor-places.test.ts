/** What doctor says of folders and files, without a service. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Look } from '../../src/cli/doctor/look.ts';
import { checkPermissions } from '../../src/cli/doctor/places.ts';
import { testConfig } from '../support/config.ts';
import { temporaryDirectory } from '../support/service.ts';

test('the command that closes a database to others can be typed as it is, whatever its path', (t) => {
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const folder = join(directory, "Alice's data");
  mkdirSync(folder, { mode: 0o755 });
  const path = join(folder, 'telemetry.sqlite');
  writeFileSync(path, '', { mode: 0o644 });
  const { remedy = '' } = checkPermissions({ path, config: testConfig(directory) } as Look);
  const command = /chmod 600 .*(?=, and umask 077)/.exec(remedy)?.[0] ?? assert.fail(remedy);
  execFileSync('/bin/sh', ['-c', command]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});
