import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { before, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { TelemetryClient } from '../../src/client/index.ts';
import { acceptsRun, explainRun } from '../../src/run/check.ts';
import { type ClientBench, aClient, backupLines, lastStates, linesIn } from '../support/client.ts';
import { BROKEN } from '../support/fake-transport.ts';
import { made, oddObject, oddValue, type Recipe } from '../support/odd-values.ts';
import { temporaryDirectory } from '../support/service.ts';

const OPTIONS = [
  ...['baseDir', 'ndjsonDir', 'bufferDir', 'apiUrl', 'token', 'testMode', 'fsync', 'agentOwner', 'git', 'timeoutMs'],
  ...['retryBackoffFactor', 'bufferMaxSizeMb', 'maxQueuedRuns', 'exitTimeoutMs', 'onWarning', 'transport'],
];
/** One of each kind, and some that are none. */
const FIELDS = [
  ...['event_id', 'run_id', 'agent_name', 'status', 'start_time', 'end_time', 'items_failed', 'duration_ms', 'product'],
  ...['metrics_json', 'context_json', 'git_repo', 'api_posted', 'schema_version', 'unknown', '__proto__'],
];
const SYNC = ['startRun', 'logEvent', 'setMetrics', 'endRun', 'getRunIdMetrics', 'currentRun'] as const;
const ASYNC = ['associateCommit', 'cleanupStaleRuns', 'getStats'] as const;

before((t) => {
  // Hundreds of them would be shown.
  process.removeAllListeners('warning');
  // Odd options leave the defaults, which must not be the home of whoever runs the tests.
  process.env.TELEMETRY_BASE_DIR = temporaryDirectory(t as TestContext);
  process.env.TELEMETRY_API_URL = 'http://127.0.0.1:1';
});

type Method = (...args: unknown[]) => unknown;
const methodOf = (object: object, name: string): Method =>
  ((object as Record<string, unknown>)[name] as Method).bind(object);

const argument = fc.oneof(oddValue(), oddObject(FIELDS));
const first = fc.oneof(fc.constant<Recipe>({ anything: 'known run' }), argument);
/** The last argument of most methods is an object, the first a run. */
const given = fc.oneof(
  fc.array(argument, { maxLength: 4 }),
  fc.tuple(first, argument),
  fc.tuple(first, argument, oddObject(FIELDS)),
);

/** Every line on disk is JSON; each of the spool is a run that the service takes. */
function assertSound({ directory, spool }: ClientBench): void {
  backupLines(directory);
  for (const record of linesIn(spool)) assert.ok(acceptsRun(record), JSON.stringify(explainRun(record)));
}

test('the constructor throws whatever it is given at nobody', () => {
  const construct = fc.property(oddObject(OPTIONS), (options) => {
    const client = new TelemetryClient(made(options) as never);
    assert.ok(client instanceof TelemetryClient);
  });
  fc.assert(construct, { numRuns: 300 });
});

for (const mode of ['mock', 'live'] as const) {
  test(`no method throws, rejects or spoils a file, whatever it is given (${mode})`, async (t) => {
    const calls = fc.array(fc.tuple(fc.constantFrom(...SYNC, ...ASYNC), given), { maxLength: 12 });
    const nothingThrows = fc.asyncProperty(calls, async (list) => {
      const bench = aClient(t, { testMode: mode });
      bench.transport.script = BROKEN;
      const known = bench.client.startRun('agent', 'job', { run_id: 'known run' });
      for (const [name, recipes] of list) {
        const answer = methodOf(bench.client, name)(...recipes.map(made));
        if (name === 'startRun') assert.equal(typeof answer, 'string');
        await answer;
      }
      // What came before costs the run neither its further life nor its end.
      bench.client.setMetrics(known, { items_discovered: 7 });
      bench.client.endRun(known, 'partial');
      const { status, items_discovered } = lastStates(linesIn(bench.spool)).get(known) ?? {};
      assert.deepEqual([status, items_discovered], ['partial', 7]);
      assertSound(bench);
      await bench.client.flush(0);
      await bench.client.close();
    });
    await fc.assert(nothingThrows, { numRuns: 150 });
  });
}

test('a run is recorded with its start and its end, whatever else is said of it', async (t) => {
  const bench = aClient(t, { testMode: 'mock' });
  const recorded = fc.property(oddObject(FIELDS), oddObject(FIELDS), (start, end) => {
    const run = bench.client.startRun('agent', 'job', made(start) as never);
    assert.doesNotMatch(run, /^error-/);
    bench.client.endRun(run, 'partial', made(end) as never);
    const [state] = linesIn(bench.spool).slice(-1);
    assert.deepEqual([state?.run_id, state?.agent_name, state?.status], [run, 'agent', 'partial']);
    bench.client.close().catch(assert.fail);
    rmSync(bench.spool, { recursive: true });
  });
  fc.assert(recorded, { numRuns: 300 });
  await bench.client.close();
});

test('the handle of a run throws nothing, and trackRun the very error of the agent', async (t) => {
  const bench = aClient(t, { testMode: 'mock' });
  const names = fc.constantFrom('logEvent', 'setMetrics', 'end', 'associateCommit');
  const calls = fc.array(fc.tuple(names, fc.array(argument, { maxLength: 3 })), { maxLength: 5 });
  const rethrown = fc.asyncProperty(calls, oddValue(), async (list, recipe) => {
    const thrown = made(recipe);
    const work = bench.client.trackRun('agent', 'job', async (run) => {
      for (const [name, recipes] of list) await methodOf(run, name)(...recipes.map(made));
      throw thrown as Error;
    });
    // In a box: a promise would look at what it is resolved with.
    const caught = await work.then(
      () => [],
      (error: unknown) => [error],
    );
    assert.ok(Object.is(caught[0], thrown) && caught.length === 1);
  });
  await fc.assert(rethrown, { numRuns: 200 });
  const open = [...lastStates(linesIn(bench.spool)).values()].filter(({ status }) => status === 'running');
  assert.equal(open.length, 0, `${open.length} runs whose work has thrown are left running`);
  assertSound(bench);
});

test('trackRun without a function to run gives undefined, and warns', async (t) => {
  const { client, warnings } = aClient(t, { testMode: 'mock' });
  const odd = client as unknown as { trackRun: (...args: unknown[]) => Promise<unknown> };
  assert.equal(await odd.trackRun('agent', 'job', { product: 'slides' }), undefined);
  assert.equal(warnings.length, 1);
});

test('a reporter of warnings that throws is borne', (t) => {
  const { client } = aClient(t, {
    testMode: 'mock',
    onWarning: () => {
      throw new Error('no');
    },
  });
  client.endRun('nobody');
});
