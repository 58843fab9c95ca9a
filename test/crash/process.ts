/** What the tests of lock, start and stop need of a service process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import {
  OURS,
  type Environment,
  localEnvironment,
  programOf,
  type ServiceProcess,
  spawnService,
} from '../support/service.ts';

/** For tests that wait for a process to end: one that never does must fail, not hang. */
export const BOUNDED = { timeout: 60_000 };

export interface Running extends ServiceProcess {
  environment: Environment;
  /** The database file. */
  path: string;
  pid: number;
  /** Resolves once its stdout says so. */
  said(text: string): Promise<string>;
  /** Resolves with exit code, signal and everything on stdout, once it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string }>;
}

/** Starts a service in `directory`; it is killed after the test, whatever it does. */
export async function startProcess(
  t: TestContext,
  directory: string,
  settings: Environment = {},
  args: readonly string[] = [],
): Promise<Running> {
  const environment = { ...localEnvironment(directory), ...settings };
  const service = await spawnService(environment, args);
  const { child, lines } = service;
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: lines.join('\n'),
  }));
  const said = async (text: string): Promise<string> => {
    for (;;) {
      const line = lines.find((candidate) => candidate.includes(text));
      if (line !== undefined) return line;
      await once(child.stdout as NodeJS.ReadableStream & NodeJS.EventEmitter, 'data');
    }
  };
  const path = environment.TELEMETRY_DB_PATH ?? join(directory, 'db', 'telemetry.sqlite');
  return { ...service, environment, path, pid: child.pid as number, said, ended };
}

/** Starts a service without waiting for it; the caller ends it. */
export function spawnUnready(environment: Environment): ChildProcess {
  return spawn(process.execPath, programOf(), { env: { ...OURS, ...environment }, stdio: 'ignore' });
}

/** How many runs are stored. HAZARD: no service may live in this very process. */
export function countRuns(path: string): number {
  if (!existsSync(path)) return 0;
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  } finally {
    db.close();
  }
}
