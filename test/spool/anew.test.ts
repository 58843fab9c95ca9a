/** A file that is written anew each night, beside a real service and between two of its lives. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { marksIn } from '../../src/offline/spool.ts';
import { cliHere } from '../support/cli-here.ts';
import { aRun, localEnvironment, openToVerify, startService, temporaryDirectory } from '../support/service.ts';
import { linesOf } from '../support/spool.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const night = (name: string): object[] =>
  Array.from({ length: 5 }, (_, n) => aRun({ event_id: `${name}-${n}`, run_id: `${name}-${n}` }));

test('a file of the same name, inode and length is stored each night, and verify names it before', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(spoolOf(directory), 'nightly.jsonl.active');
  writeFileSync(path, linesOf(...night('one')));
  const { ino, size } = statSync(path);
  const first = await startService(t, {}, directory);
  await drained(first, 5);
  writeFileSync(path, linesOf(...night('two')));
  await drained(first, 10);
  await first.close();
  writeFileSync(path, linesOf(...night('six')));
  assert.deepEqual([statSync(path).ino, statSync(path).size], [ino, size]);
  const { stdout } = await cliHere(['verify', '--json'], localEnvironment(directory));
  assert.match(stdout, /written anew since it was read, and read again by the service: nightly"/);
  const second = await startService(t, {}, directory);
  await drained(second, 5);
  const db = openToVerify(t, second.path);
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), 15);
  const [mark] = marksIn(db).values();
  assert.equal(mark?.position, size);
});
