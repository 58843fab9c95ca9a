import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLines, linesIn, runAgent, spoolNames } from '../support/client.ts';
import { fakeService } from '../support/fake-service.ts';
import { temporaryDirectory } from '../support/service.ts';

/** An agent that ends a run and then does what `code` says. */
const ENDS = `const client = new TelemetryClient({ git: false });
  client.endRun(client.startRun('agent', 'job'), 'partial');`;

test('importing the client and making one loads nothing heavy, and touches neither disk nor network', async (t) => {
  const directory = temporaryDirectory(t);
  const { code, stdout } = await runAgent(
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const touched = [];
    for (const name of Object.keys(fs).filter((each) => /^[a-z]/.test(each) && typeof fs[each] === 'function')) {
      const own = fs[name];
      fs[name] = Object.assign((...given) => {
        touched.push(name);
        return own(...given);
      }, own);
    }
    syncBuiltinESMExports();
    const client = new TelemetryClient({ apiUrl: 'http://127.0.0.1:1' });
    const before = touched.splice(0);
    // What is asserted below is worth nothing if this goes unseen.
    client.logEvent('run', 'event');
    const shared = process.report.getReport().sharedObjects;
    const list = process.moduleLoadList.map((each) => each.replace('NativeModule ', ''));
    const heavy = ['http', 'https', 'net', 'worker_threads', 'child_process', 'sqlite', '_http_client'];
    process.stdout.write(JSON.stringify({
      before,
      after: touched.length > 0,
      loaded: heavy.filter((each) => list.includes(each)),
      addons: shared.filter((each) => each.endsWith('.node')),
    }));`,
    { TELEMETRY_BASE_DIR: join(directory, 'base') },
  );
  assert.deepEqual([code, JSON.parse(stdout)], [0, { before: [], after: true, loaded: [], addons: [] }]);
  assert.deepEqual(readdirSync(join(directory, 'base')), ['raw']);
});

for (const [what, how] of Object.entries({
  'process.exit() right after': 'process.exit(3);',
  'an uncaught error': "throw new Error('the agent is broken');",
  'a rejection nobody handles': "Promise.reject(new Error('the agent is broken'));",
  'SIGKILL right after': "process.kill(process.pid, 'SIGKILL');",
})) {
  test(`after ${what} the record is in the spool and in the backup`, async (t) => {
    const directory = temporaryDirectory(t);
    await runAgent(ENDS + how, { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: 'http://127.0.0.1:1' });
    const ended = linesIn(join(directory, 'buffer')).map(({ status }) => status);
    assert.deepEqual([ended, backupLines(directory).length], [['running', 'partial'], 2]);
    assert.equal(spoolNames(join(directory, 'buffer'), what.startsWith('SIG') ? '.live' : '.sealed').length, 1);
  });
}

for (const [state, answer] of [
  ['is down', undefined],
  ['hangs', 'hang'],
  ['is broken', { status: 500 }],
  ['wants to be left alone', { status: 429, headers: { 'Retry-After': '300' } }],
] as const) {
  test(`an agent ends by itself, with its own code, while the service ${state}`, async (t) => {
    const directory = temporaryDirectory(t);
    const service = await fakeService(t);
    service.script = () => answer;
    const { code, stderr } = await runAgent(
      `process.exitCode = 7;
      const client = new TelemetryClient({ git: false, exitTimeoutMs: 100 });
      for (let n = 0; n < 50; n++) client.endRun(client.startRun('agent', 'job'));`,
      {
        TELEMETRY_BASE_DIR: directory,
        TELEMETRY_API_URL: state === 'is down' ? 'http://127.0.0.1:1' : service.url,
        NODE_OPTIONS: '--disable-warning=TelemetryWarning',
      },
    );
    assert.deepEqual([code, stderr], [7, '']);
    assert.equal(linesIn(join(directory, 'buffer')).length, 100);
  });
}

test('what an agent awaits holds its process: flush, close, getStats, a commit', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await fakeService(t);
  const { code, stdout } = await runAgent(
    `${ENDS}
    const steps = [];
    process.on('exit', () => process.stdout.write(steps.join()));
    steps.push(await client.flush());
    steps.push((await client.getStats()).delivery.delivered);
    steps.push((await client.associateCommit('nobody', 'abcdef1')).ok);
    steps.push((await client.cleanupStaleRuns({ agentName: 'agent', olderThanMs: 1 })).ok);
    await client.close();
    steps.push('closed');`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service.url },
  );
  assert.deepEqual([code, stdout], [0, 'true,1,false,false,closed']);
});

test('await using delivers and lets go', async (t) => {
  const directory = temporaryDirectory(t);
  const service = await fakeService(t);
  const { code } = await runAgent(
    `{
      await using client = new TelemetryClient({ git: false });
      client.endRun(client.startRun('agent', 'job'));
    }
    process.exit(0);`,
    { TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: service.url },
  );
  assert.deepEqual([code, service.store.runs.size, spoolNames(join(directory, 'buffer'))], [0, 1, []]);
});

test(
  'without a home directory to be found the client warns and does not throw',
  { skip: process.getuid?.() !== 0 },
  async (t) => {
    const directory = temporaryDirectory(t);
    chmodSync(directory, 0o777);
    const { code, stderr, stdout } = await runAgent(
      `delete process.env.HOME;
    process.setuid(54_321);
    const warnings = [];
    const client = new TelemetryClient({ testMode: 'mock', git: false, onWarning: (warning) => warnings.push(warning) });
    client.endRun(client.startRun('agent', 'job'));
    process.stdout.write(String(warnings.length > 0));`,
      { TMPDIR: directory },
    );
    assert.deepEqual([code, stderr, stdout], [0, '', 'true']);
  },
);
