/** What befalls an agent of its own process, and must not reach it. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { linesIn, runAgent, spoolNames } from '../support/client.ts';
import { temporaryDirectory } from '../support/service.ts';

const QUIET = '--disable-warning=TelemetryWarning';

for (const [what, name] of [
  ['base directory', 'TELEMETRY_BASE_DIR'],
  ['backup', 'TELEMETRY_NDJSON_DIR'],
  ['spool', 'TELEMETRY_BUFFER_DIR'],
] as const) {
  test(`a relative ${what} in a working directory that is gone is no reason to throw`, async (t) => {
    const directory = temporaryDirectory(t);
    const gone = join(directory, 'gone');
    mkdirSync(gone);
    const { code, stderr } = await runAgent(
      `import { rmdirSync } from 'node:fs';
      process.chdir(process.argv[1]);
      rmdirSync(process.argv[1]);
      const client = new TelemetryClient({ testMode: 'mock' });
      client.endRun(client.startRun('agent', 'job'));`,
      { TELEMETRY_BASE_DIR: join(directory, 'base'), [name]: 'own', TMPDIR: directory, NODE_OPTIONS: QUIET },
      [gone],
    );
    assert.deepEqual([code, stderr], [0, '']);
    const own = join(directory, 'own');
    if (name === 'TELEMETRY_NDJSON_DIR') assert.equal(linesIn(own, /\.ndjson$/).length, 2);
    else assert.equal(linesIn(name === 'TELEMETRY_BASE_DIR' ? join(own, 'buffer') : own).length, 2);
    assert.equal(readdirSync(directory).includes('gone'), false);
  });
}

for (const [how, report] of Object.entries({
  'rejects at once': "async () => { throw new Error('no'); }",
  'rejects later': "() => new Promise((_resolve, reject) => setImmediate(() => reject(new Error('no'))))",
  throws: "() => { throw new Error('no'); }",
})) {
  test(`an onWarning that ${how} does not end the process`, async (t) => {
    const directory = temporaryDirectory(t);
    const { code, stdout, stderr } = await runAgent(
      `let told = 0;
      const report = ${report};
      const onWarning = (message) => { told++; return report(message); };
      const client = new TelemetryClient({ git: false, testMode: 'mock', timeoutMs: -1, onWarning });
      client.setMetrics('nobody', {});
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      client.endRun(client.startRun('agent', 'job'));
      process.stdout.write(String(told));`,
      { TELEMETRY_BASE_DIR: directory },
    );
    assert.deepEqual([code, stdout, stderr], [0, '2', '']);
    assert.equal(spoolNames(join(directory, 'buffer')).length, 1);
  });
}
