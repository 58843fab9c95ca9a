/** What agents import: what it loads, what it records, which types it has. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checks, expectCode, ROOT, run, tool } from './support.ts';

const CLIENT = `
import { TelemetryClient } from 'local-telemetry/client';
const client = new TelemetryClient({ git: false, testMode: 'mock' });
client.endRun(client.startRun('spooled', 'check'), 'success');
await client.close();
const modules = process.moduleLoadList.map((name) => name.replace('NativeModule ', ''));
process.stdout.write(JSON.stringify({
  threads: modules.filter((name) => name === 'worker_threads'),
  addons: process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')),
}));`;

const EMBEDDED = `
import { openEmbedded } from 'local-telemetry/embedded';
await using telemetry = await openEmbedded({ baseDir: process.argv[2], git: false });
await telemetry.client.trackRun('embedded', 'check', async () => {});
await telemetry.client.flush();
const { status, body } = await telemetry.request('GET', '/api/v1/runs?agent_name=embedded');
process.stdout.write(JSON.stringify({ status, runs: body.map((run) => run.status), problem: telemetry.problem?.message }));`;

const RIGHT = `
import { type ClientStats, type RunHandle, TelemetryClient } from 'local-telemetry/client';
import { type Embedded, openEmbedded } from 'local-telemetry/embedded';
await using client = new TelemetryClient({ apiUrl: 'http://127.0.0.1:1', onWarning: (message: string) => message.length });
const runId: string = client.startRun('agent', 'job', { product: 'slides', items_discovered: 3 });
client.endRun(runId, 'partial', { items_succeeded: 2, metrics_json: { tokens: 1 } });
const three: number = await client.trackRun('agent', 'job', async (run: RunHandle) => {
  run.setMetrics({ items_failed: 1 });
  return 3;
});
const stats: ClientStats = await client.getStats();
export const waiting: number = stats.delivery.waiting + three;
await using embedded: Embedded = await openEmbedded({ dbPath: 'x.sqlite' });
export const { status }: { status: number } = await embedded.request('GET', '/health');
`;

/** What must not compile, by the code of the compiler's error. */
const WRONG: Readonly<Record<string, string>> = {
  "client.startRun('agent');": 'TS2554',
  "client.startRun(1, 'job');": 'TS2345',
  "client.endRun('run', 'success', { items_succeeded: 'two' });": 'TS2322',
  'new TelemetryClient({ apiUrl: 1 });': 'TS2322',
  "import 'local-telemetry/run';": 'TS2882',
};

const RESOLUTIONS: Readonly<Record<string, readonly string[]>> = {
  NodeNext: ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  Bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
};

/** @param environment where the client's spool lies: the service's own */
export async function checkAgents(checks: Checks, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const script = (name: string, text: string, ...words: string[]): ReturnType<typeof run> => {
    writeFileSync(join(folder, name), text);
    return run(folder, [process.execPath, join(folder, name), ...words], environment);
  };
  await checks.check('local-telemetry/client records into the spool, with no addon and no thread', async () => {
    const ended = await script('client.mjs', CLIENT);
    expectCode(ended);
    assert.deepEqual([JSON.parse(ended.stdout), ended.stderr], [{ threads: [], addons: [] }, '']);
    const buffer = join(String(environment.TELEMETRY_BASE_DIR), 'buffer');
    const [name = ''] = readdirSync(buffer);
    assert.match(readFileSync(join(buffer, name), 'utf8'), /"agent_name":"spooled"/);
  });
  await checks.check('local-telemetry/embedded keeps a database of its own', async () => {
    const ended = await script('embedded.mjs', EMBEDDED, join(folder, 'embedded'));
    expectCode(ended);
    assert.deepEqual(JSON.parse(ended.stdout), { status: 200, runs: ['success'] });
  });
  await checks.check('local-telemetry itself exports nothing', async () => {
    const ended = await script('root.mjs', "import 'local-telemetry';");
    expectCode(ended, 1);
    assert.match(ended.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });
}

/** Compiles in a folder that has the package, with the strictest settings, the package's own types included. */
export async function checkTypes(checks: Checks, folder: string): Promise<void> {
  const types = join(folder, 'types');
  mkdirSync(types);
  writeFileSync(join(types, 'right.mts'), RIGHT);
  const wrong = Object.keys(WRONG).map((line) => `${line}\n`);
  const head = "import { TelemetryClient } from 'local-telemetry/client'; const client = new TelemetryClient();\n";
  writeFileSync(join(types, 'wrong.mts'), head + wrong.join(''));
  for (const [name, words] of Object.entries(RESOLUTIONS)) {
    const compile = (file: string): ReturnType<typeof run> =>
      run(types, [
        tool('tsc'),
        '--noEmit',
        '--ignoreConfig',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--skipLibCheck',
        'false',
        '--target',
        'esnext',
        ...words,
        '--typeRoots',
        join(ROOT, 'node_modules/@types'),
        '--types',
        'node',
        file,
      ]);
    await checks.check(`TypeScript sees the types (${name}, strict, skipLibCheck false)`, async () => {
      expectCode(await compile('right.mts'));
    });
    await checks.check(`a wrong call does not compile (${name})`, async () => {
      const { stdout } = await compile('wrong.mts');
      const found = [...stdout.matchAll(/^wrong\.mts\((\d+),\d+\): error (TS\d+)/gm)].map(([, line, code]) => [
        Number(line),
        code,
      ]);
      assert.deepEqual(
        found,
        Object.values(WRONG).map((code, index) => [index + 2, code]),
        stdout,
      );
    });
  }
}
