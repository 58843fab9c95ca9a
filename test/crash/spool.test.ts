import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { localEnvironment, temporaryDirectory } from '../support/service.ts';
import { goodLines, rejectedIn } from '../support/spool.ts';
import { spoolOf } from '../support/spool-service.ts';
import { spawnUnready, startProcess } from './process.ts';

const LINES = 6_000;

test('a service that is killed while it drains the spool stores every line exactly once in the end', async (t) => {
  const directory = temporaryDirectory(t);
  const spool = spoolOf(directory);
  const lines = goodLines(LINES).map((line, index) => (index % 20 === 7 ? `bad ${index}` : line));
  writeFileSync(join(spool, 'a.jsonl.ready'), `${lines.join('\n')}\n`);
  const bad = lines.filter((line) => line.startsWith('bad'));
  const settings = { TELEMETRY_SYNC_BATCH_SIZE: '10' };

  for (const rejections of [1, 20, 45, 70, 95]) {
    const child = spawnUnready({ ...localEnvironment(directory), ...settings });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    // Each rejection is written just before its batch is sent: the kill hits the drain in its midst.
    await reaches(join(spool, 'a.jsonl.rejected'), rejections);
    child.kill('SIGKILL');
    assert.deepEqual(await exited, [null, 'SIGKILL']);
  }

  const service = await startProcess(t, directory, settings);
  await service.said('Spool file is synced');
  service.child.kill('SIGTERM');
  const { stdout } = await service.ended;
  assert.ok(!/"duplicates": [1-9]/.test(stdout), 'no line came a second time');
  const db = new Database(service.path, { readonly: true });
  t.after(() => db.close());
  assert.equal(db.prepare('SELECT count(*) FROM agent_runs').pluck().get(), LINES - bad.length);
  assert.deepEqual(
    rejectedIn(spool, 'a').map(({ line }) => line),
    bad,
  );
});

/** Resolves once a file has so many lines. */
async function reaches(path: string, count: number): Promise<void> {
  const watcher = watch(join(path, '..'));
  try {
    while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length <= count) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}
