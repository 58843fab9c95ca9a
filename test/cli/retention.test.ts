import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { timestampOf } from '../../src/run.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { totalsOf, rollupsOf } from '../support/database.ts';
import {
  aRun,
  localEnvironment,
  openToVerify,
  type Service,
  startService,
  temporaryDirectory,
} from '../support/service.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A run of some kilobytes, created so many days ago. */
const old = (days: number): Record<string, unknown> =>
  aRun({ created_at: timestampOf(Date.now() - days * DAY_MS), output_summary: 'x'.repeat(4_000) });

interface Home {
  service: Service;
  settings: Record<string, string>;
  path: string;
}

/** A service with three runs of 100 days ago, two of 20, one of now. */
async function home(t: TestContext): Promise<Home> {
  const directory = temporaryDirectory(t);
  const service = await startService(t, {}, directory);
  const runs = [100, 100, 100, 20, 20, 0].map(old);
  assert.equal((await service.request('POST', '/api/v1/runs/batch', runs)).status, 200);
  return { service, settings: localEnvironment(directory) as Record<string, string>, path: service.path };
}

const counted = (t: TestContext, path: string): unknown =>
  openToVerify(t, path).prepare('SELECT count(*) FROM agent_runs').pluck().get();

test('retention deletes nothing unless told so, and says what it would delete', async (t) => {
  const { settings, path } = await home(t);
  const { code, stdout } = await cli(['retention'], settings);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^3 runs older than 30 days \(created before [\dT:-]+Z\)\nNothing was deleted; with --apply they would be\.\n$/,
  );
  assert.equal(counted(t, path), 6);
});

test('retention --apply deletes what is older while the service goes on, and gives the space back', async (t) => {
  const { service, settings, path } = await home(t);
  const many = Array.from({ length: 600 }, () => old(60));
  await service.request('POST', '/api/v1/runs/batch', many);
  const { code, stdout } = await cli(['retention', '--days', '50', '--apply', '--json'], settings);
  assert.equal(code, 0);
  const swept = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual([swept.matching, swept.deleted, swept.dry_run], [603, 603, false]);
  assert.ok((swept.bytes_after as number) < (swept.bytes_before as number) / 2, stdout);
  assert.equal(statSync(path).size, swept.bytes_after);
  const db = openToVerify(t, path);
  assert.deepEqual(rollupsOf(db), totalsOf(db));
  assert.equal((await service.request('POST', '/api/v1/runs', aRun())).status, 201);
});

test('retention works on the file where no service runs', async (t) => {
  const { service, settings, path } = await home(t);
  await service.close();
  const { code, stdout } = await cliHere(['retention', '--days', '10', '--apply'], settings);
  assert.equal(code, 0);
  assert.match(stdout, /^5 runs older than 10 days .*: 5 runs deleted\nThe file had [\d.]+ KiB, and has [\d.]+ KiB\n$/);
  assert.equal(counted(t, path), 1);
});

test('TELEMETRY_RETENTION_DAYS and TELEMETRY_DRY_RUN_CLEANUP decide where no option does', async (t) => {
  const { settings, path } = await home(t);
  const environment = { ...settings, TELEMETRY_RETENTION_DAYS: '90', TELEMETRY_DRY_RUN_CLEANUP: '0' };
  assert.match((await cliHere(['retention', '--dry-run'], environment)).stdout, /^3 runs .*\nNothing was deleted/);
  assert.match((await cliHere(['retention'], environment)).stdout, /: 3 runs deleted/);
  assert.equal(counted(t, path), 3);
});

test('retention says what is wrong with its options', async (t) => {
  const settings = localEnvironment(temporaryDirectory(t)) as Record<string, string>;
  const wrong: [string[], RegExp][] = [
    [['--days', '0'], /--days must be a whole number from 1 to 36500, not "0"/],
    [['--days', 'x'], /--days must be a whole number/],
    [['--apply', '--dry-run'], /--apply and --dry-run contradict each other/],
  ];
  for (const [words, why] of wrong) {
    const { code, stderr } = await cliHere(['retention', ...words], settings);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, why);
  }
});

test('where there is no database retention says so, and makes none', async (t) => {
  const directory = temporaryDirectory(t);
  const { code, stderr } = await cli(['retention', '--apply'], localEnvironment(directory) as Record<string, string>);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /There is no database .*telemetry\.sqlite, and no service that has it open\. Set TELEMETRY_DB_PATH/,
  );
  assert.equal(existsSync(join(directory, 'db')), false);
});
