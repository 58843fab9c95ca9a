/** A real service for a test: its own folder, its own port, the real threads and file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import type { LogFields, Logger } from '../../src/log.ts';
import type { Platform } from '../../src/platform.ts';

export type Environment = Record<string, string>;

export interface LogLine extends LogFields {
  level: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  message: string;
}

export interface Service {
  url: string;
  directory: string;
  /** The database file. */
  path: string;
  platform: Platform;
  /** What was logged so far. */
  logs: LogLine[];
  /** Resolves with the `count`-th line whose message matches. */
  logged: (message: RegExp, count?: number) => Promise<LogLine>;
  request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  close: () => Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The body, parsed where it is JSON; undefined where there is none. */
  body: unknown;
}

/** A folder that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = makeDirectory();
  t.after(() => remove(directory));
  return directory;
}

const makeDirectory = (): string => mkdtempSync(join(tmpdir(), 'telemetry-test-'));
const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true });

/** Loopback, any port, two readers, everything under `directory`. */
export function localEnvironment(directory: string): Environment {
  return {
    TELEMETRY_BASE_DIR: directory,
    TELEMETRY_API_HOST: '127.0.0.1',
    TELEMETRY_API_PORT: '0',
    TELEMETRY_READERS: '2',
  };
}

/** A logger that keeps its lines, and tells when one comes. */
export class Recorder {
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  readonly logger: Logger = {
    debug: (message, fields) => this.#add('DEBUG', message, fields),
    info: (message, fields) => this.#add('INFO', message, fields),
    warning: (message, fields) => this.#add('WARNING', message, fields),
    error: (message, fields) => this.#add('ERROR', message, fields),
    flush: () => Promise.resolve(),
  };

  /** Resolves with the `count`-th line whose message matches, at once where it is there already. */
  async logged(message: RegExp, count = 1): Promise<LogLine> {
    for (;;) {
      const found = this.lines.filter((line) => message.test(line.message))[count - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #add(level: LogLine['level'], message: string, fields?: LogFields): void {
    this.lines.push({ ...fields, level, message });
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Starts the platform in this process, with one reader unless told otherwise; it is closed after the test. */
export async function startService(t: TestContext, environment: Environment = {}, folder?: string): Promise<Service> {
  // Its own folder goes after it has closed: hooks run in the order in which they were made.
  const directory = folder ?? makeDirectory();
  // Only here: most tests that import this file need neither, and they take longer to load than all else.
  const [{ testConfig }, { start }] = await Promise.all([import('./config.ts'), import('../../src/platform.ts')]);
  const config = testConfig(directory, environment);
  const recorder = new Recorder();
  const platform = await start(config, recorder.logger);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= platform[Symbol.asyncDispose]() as Promise<void>);
  t.after(async () => {
    await close();
    if (folder === undefined) remove(directory);
  });
  const { url } = platform;
  const logged = recorder.logged.bind(recorder);
  return {
    url,
    directory,
    path: config.database.path,
    platform,
    logs: recorder.lines,
    logged,
    close,
    request: requester(url),
  };
}

/** Sends requests; an object body goes as JSON, text and bytes as they are. */
export function requester(url: string): Service['request'] {
  return async (method, path, body, headers = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
    const response = await fetch(url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : json ? (JSON.parse(text) as unknown) : text,
    };
  };
}

export interface ServiceProcess {
  child: ChildProcess;
  url: string;
  /** All lines of stdout so far. */
  lines: string[];
  request: Service['request'];
  /** Resolves with exit code and signal. */
  exited: Promise<[number | null, NodeJS.Signals | null]>;
}

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Of the test's own environment, what a process that it starts has. */
export const OURS = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };

/** What Node is given to run the service, or a script in its place. */
export const programOf = (script?: string): string[] => (script === undefined ? [MAIN, 'serve'] : [script]);

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs the service, or a script, as its own process until it ends. */
export async function runToEnd(
  environment: Environment,
  args: readonly string[] = [],
  script?: string,
): Promise<Ended> {
  const child = spawn(process.execPath, [...programOf(script), ...args], {
    env: { ...OURS, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...output };
}

/** Starts the service as its own process and waits until it listens. The caller ends it. */
export async function spawnService(
  environment: Environment,
  args: readonly string[] = [],
  script?: string,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...programOf(script), ...args], {
    env: { ...OURS, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as ServiceProcess['exited'];
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const listening = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const found = /"url": "([^"]+)"/.exec(line);
      if (found) resolve(String(found[1]));
    });
    child.once('exit', () => setImmediate(() => reject(new Error(`The service ended before it listened: ${stderr}`))));
  });
  const url = await listening;
  return { child, url, lines, exited, request: requester(url) };
}

/** A second, read-only connection, for verifying. */
export function openToVerify(t: TestContext, path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  t.after(() => db.close());
  return db;
}

/** A run with its required fields, under an event_id of its own. */
export function aRun(fields: Record<string, unknown> = {}): Record<string, unknown> & { event_id: string } {
  return {
    event_id: randomUUID(),
    run_id: `20260110T120000Z-tester-${randomUUID().slice(0, 8)}`,
    agent_name: 'tester',
    job_type: 'check',
    start_time: '2026-01-10T12:00:00Z',
    ...fields,
  };
}
