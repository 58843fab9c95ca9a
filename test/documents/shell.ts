/** A reader's shell: each command in a process of its own, that begins in the folder and with the variables of the one before. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const COMMAND_MS = 240_000;
const START_MS = 240_000;
const STOP_MS = 20_000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

interface Running {
  child: ChildProcess;
  exited: Promise<unknown>;
  /** Of the service itself, which npm started. */
  pid: number;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Puts the program into the reader's PATH, as the link that the README names does. */
export function linkProgram(home: string, checkout: string): void {
  symlinkSync(join(checkout, 'bin/local-telemetry'), join(home, 'bin/local-telemetry'));
}

/** The environment of a reader: a home of their own, this very Node in PATH, and nothing of ours or npm's. */
export function environmentOf(home: string, port: number): NodeJS.ProcessEnv {
  const bin = join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, 'node'));
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|INIT_CWD$|NODE_(OPTIONS|PATH|ENV|COMPILE_CACHE|TEST_)|TELEMETRY_|LOG_LEVEL$|AGENT_|METRICS_)/i.test(
        name,
      ),
  );
  const { HOME = home, npm_config_cache } = process.env;
  // npm's own hands on our node_modules would come before the program of the copy.
  const path = (process.env.PATH ?? '').split(':').filter((part) => !part.endsWith('node_modules/.bin'));
  return {
    ...Object.fromEntries(inherited),
    HOME: home,
    PATH: [bin, ...path].join(':'),
    // The registry of this machine, and what was fetched from it before.
    npm_config_userconfig: join(HOME, '.npmrc'),
    npm_config_cache: npm_config_cache ?? join(HOME, '.npm'),
    TELEMETRY_BASE_DIR: join(home, '.telemetry'),
    TELEMETRY_API_HOST: '127.0.0.1',
    TELEMETRY_API_PORT: String(port),
    TELEMETRY_API_URL: `http://localhost:${port}`,
  };
}

export class Shell {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #state: string;
  readonly #folderFile: string;
  #service: Running | undefined;

  constructor(home: string, folder: string, environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
    this.#state = join(home, 'state.sh');
    this.#folderFile = join(home, 'folder');
    writeFileSync(this.#state, '');
    writeFileSync(this.#folderFile, folder);
  }

  get folder(): string {
    return readFileSync(this.#folderFile, 'utf8').trim();
  }

  /** Runs a command to its end, 4 minutes at most. */
  run(command: string): Promise<Ended> {
    const script = [
      `source '${this.#state}'`,
      'set -a',
      command,
      'ended=$?',
      `export -p > '${this.#state}'`,
      `pwd > '${this.#folderFile}'`,
      'exit $ended',
    ].join('\n');
    const options = { cwd: this.folder, env: this.#environment, timeout: COMMAND_MS, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((resolve) => {
      execFile('bash', ['-c', script], options, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** Starts a service in the background, in the place of the one that runs. @throws Error where it does not listen in time */
  async start(command: string): Promise<void> {
    await this.stop();
    const script = `source '${this.#state}'\n${command}`;
    const child = spawn('bash', ['-c', script], {
      cwd: this.folder,
      env: this.#environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    this.#service = { child, exited, pid: 0 };
    this.#service.pid = await listening(child);
  }

  /** Ends the service in order; what does not end is killed, and nothing but what was started here. */
  async stop(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    if (!service) return;
    const { child, exited, pid } = service;
    const group = -(child.pid ?? 0);
    const killed = setTimeout(() => process.kill(group, 'SIGKILL'), STOP_MS);
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(pid === 0 ? group : pid, 'SIGTERM');
      await exited;
    }
    clearTimeout(killed);
  }
}

/** The pid that the line `Listening on …` names. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => reject(new Error(`${why}\n${said.slice(-4000)}`));
    const timer = setTimeout(() => fail(`It did not listen within ${START_MS / 1000} s`), START_MS);
    const hear = (line: string): void => {
      said += `${line}\n`;
      const pid = /"message": "Listening on .*"pid": (\d+)/.exec(line)?.[1];
      if (pid === undefined) return;
      clearTimeout(timer);
      resolve(Number(pid));
    };
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', hear);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`It ended with ${code}`);
    });
  });
}

/** A folder in which the package of the checkout is installed, as far as a snippet sees it. */
export function makeProject(folder: string, checkout: string): void {
  const installed = join(folder, 'node_modules/local-telemetry');
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  symlinkSync(checkout, installed);
}
