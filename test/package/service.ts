/** The service out of the package, in a folder that has nothing but the package: started, used and stopped as people do. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkOlderClient } from './older-node.ts';
import { type Checks, ENVIRONMENT, expectCode, run } from './support.ts';

const START_MS = 30_000;

interface Started {
  url: string;
  /** Of the service, not of npx. */
  pid: number;
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Starts it through npx. @throws Error where it does not listen within half a minute */
async function start(folder: string, environment: NodeJS.ProcessEnv): Promise<Started> {
  const child = spawn('npx', ['local-telemetry', 'serve', '--port', '0'], {
    cwd: folder,
    env: { ...ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const ended = once(child, 'exit') as Started['ended'];
  const listening = new Promise<Started>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      told += `${line}\n`;
      const { url, pid } = JSON.parse(line) as { url?: string; pid?: number };
      if (url !== undefined && pid !== undefined) resolve({ url, pid, ended });
    });
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    const over = ended.then(() => Promise.reject(new Error(`It ended before it listened:\n${told}`)));
    over.catch(() => undefined);
    return await Promise.race([listening, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** A run with its required fields. */
export const RUN = {
  event_id: 'packed-event',
  run_id: 'packed-run',
  agent_name: 'packed',
  job_type: 'check',
  start_time: '2026-01-10T12:00:00Z',
};

/** @param environment where everything of it lies, TELEMETRY_BASE_DIR included */
export async function checkService(checks: Checks, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  let service: Started | undefined;
  await checks.check('npx local-telemetry serve starts, and says where it listens', async () => {
    service = await start(folder, environment);
  });
  if (!service) return;
  const { url, pid, ended } = service;
  const cli = (...words: string[]): ReturnType<typeof run> =>
    run(folder, ['npx', 'local-telemetry', ...words], environment);
  try {
    await checks.check('it stores a run and lists it', async () => {
      const headers = { 'Content-Type': 'application/json' };
      const posted = await fetch(`${url}/api/v1/runs`, { method: 'POST', headers, body: JSON.stringify(RUN) });
      assert.equal(posted.status, 201, await posted.text());
      const listed = (await (await fetch(`${url}/api/v1/runs?agent_name=packed`)).json()) as { run_id: string }[];
      assert.deepEqual(
        listed.map(({ run_id }) => run_id),
        ['packed-run'],
      );
    });
    await checks.check('local-telemetry runs lists it, and the run that the client left in the spool', async () => {
      const ended = await cli('runs', '--json');
      expectCode(ended);
      const lines = ended.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { agent_name: string });
      assert.deepEqual(lines.map(({ agent_name }) => agent_name).sort(), ['packed', 'spooled']);
    });
    await checks.check('local-telemetry healthcheck finds it well', async () => {
      expectCode(await cli('healthcheck', '--url', url));
    });
    await checks.check('local-telemetry backup copies its database while it serves', async () => {
      const copy = join(folder, 'copy.sqlite');
      const ended = await cli('backup', copy, '--json');
      expectCode(ended);
      assert.equal((JSON.parse(ended.stdout) as { runs: number }).runs, 2);
      assert.ok(existsSync(copy));
    });
    await checkOlderClient(checks, folder, url);
    await checks.check('SIGTERM stops it in order, with exit 0', async () => {
      process.kill(pid, 'SIGTERM');
      assert.deepEqual(await ended, [0, null]);
      expectCode(await cli('healthcheck', '--url', url), 1);
    });
  } finally {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
