import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { localEnvironment, runToEnd, temporaryDirectory } from '../support/service.ts';
import { BOUNDED, startProcess } from './process.ts';

test('A port in use exits 1, names --port and leaves nothing locked', BOUNDED, async (t) => {
  const { url } = await startProcess(t, temporaryDirectory(t));
  const directory = temporaryDirectory(t);
  const { port } = new URL(url);
  const { code, stderr } = await runToEnd(localEnvironment(directory), ['--port', port]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`Port ${port} .* in use.*--port`));
  assert.ok(!existsSync(join(directory, 'db', 'telemetry.sqlite.lock.holder')));
  await startProcess(t, directory);
});

test('Bad configuration exits 1 and lists every problem at once', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const { code, stderr, stdout } = await runToEnd({
    ...localEnvironment(directory),
    TELEMETRY_API_PORT: 'eighty',
    TELEMETRY_API_WORKERS: '4',
    TELEMETRY_DB_SYNCHRONOUS: 'NORMAL',
    TELEMETRY_DB_JOURNAL_MODE: 'MEMORY',
  });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  for (const name of ['API_PORT', 'API_WORKERS', 'DB_SYNCHRONOUS', 'DB_JOURNAL_MODE'])
    assert.match(stderr, new RegExp(`- TELEMETRY_${name} `));
  assert.ok(!existsSync(join(directory, 'db')), 'nothing was touched');
});

test('A file that is no database is refused and left as it is', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'db', 'telemetry.sqlite');
  mkdirSync(dirname(path));
  writeFileSync(path, 'a text, not a database '.repeat(100));
  const before = readFileSync(path);
  const { code, stderr } = await runToEnd(localEnvironment(directory));
  assert.equal(code, 1);
  assert.match(stderr, /telemetry\.sqlite/);
  assert.deepEqual(readFileSync(path), before);
});
