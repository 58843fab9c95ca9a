import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OURS, openToVerify, temporaryDirectory } from '../support/service.ts';
import { drained } from './agent-cycle.ts';
import { BOUNDED, startProcess } from './process.ts';

const AGENT = fileURLToPath(new URL('./steady-agent.ts', import.meta.url));
const RUNS = 5_000;

test('two agents with one spool, one of them without a network, lose nothing and tear nothing', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startProcess(t, directory, { TELEMETRY_SYNC_BATCH_SIZE: '500' });
  const modes = { sends: 'live', writes: 'mock' };
  const exits = Object.entries(modes).map(([name, mode]) => {
    const place = { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service.url, TELEMETRY_TEST_MODE: mode };
    const env = { ...OURS, ...place };
    return once(spawn(process.execPath, [AGENT, name, String(RUNS)], { env, stdio: 'inherit' }), 'exit');
  });
  for (const exit of await Promise.all(exits)) assert.deepEqual(exit, [0, null]);
  await drained(service, directory);
  assert.deepEqual(
    readdirSync(join(directory, 'buffer')).filter((name) => /\.(live|rejected)$/.test(name)),
    [],
  );
  service.child.kill('SIGTERM');
  assert.equal((await service.ended).code, 0);

  const db = openToVerify(t, service.path);
  const sums = 'SELECT agent_name, status, count(*), sum(items_succeeded), sum(length(output_summary))';
  const items = (RUNS * (RUNS - 1)) / 2;
  const text = Array.from({ length: RUNS }, (_, n) => 1 + (n % 700)).reduce((sum, length) => sum + length, 0);
  assert.deepEqual(db.prepare(`${sums} FROM agent_runs GROUP BY 1, 2 ORDER BY 1, 2`).raw().all(), [
    ['sends', 'success', RUNS, items, text],
    ['writes', 'success', RUNS, items, text],
  ]);
  const backup = globSync('raw/*.ndjson', { cwd: directory }).flatMap((path) =>
    readFileSync(join(directory, path), 'utf8').trimEnd().split('\n'),
  );
  // An empty line is one agent making sure, seeing another in the midst of its write.
  const states = backup.filter(Boolean).map((line) => JSON.parse(line) as { agent_name: string; status: string });
  const counts = Map.groupBy(states, ({ agent_name, status }) => `${agent_name} ${status}`);
  const two = ['sends running', 'sends success', 'writes running', 'writes success'];
  assert.deepEqual(
    [...counts].map(([state, { length }]) => [state, length]).sort(),
    two.map((state) => [state, RUNS]),
  );
});
