/** What the checks of npm run test:deploy share: a line for each, processes that end with the script, a bound in time. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const LAUNCHER = fileURLToPath(new URL('../../bin/local-telemetry', import.meta.url));

let failures = 0;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** How many checks have failed. */
export const failed = (): number => failures;

/** Runs a check and prints how it went; what it returns is shown beside its name. */
export async function check(name: string, run: () => unknown): Promise<void> {
  try {
    const note = await run();
    say(`ok    ${name}${typeof note === 'string' ? `: ${note}` : ''}`);
  } catch (error) {
    failures++;
    say(`FAIL  ${name}\n      ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function skip(name: string, why: string): void {
  say(`skip  ${name}: ${why}`);
}

/** Whether a program can be started. */
export const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** A child that is killed with this script at the latest. Its output is piped. */
export function start(program: string, args: readonly string[], environment = process.env): ChildProcess {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Resolves with the first line of a stream that matches; rejects where the process ends before. */
export async function lineOf(child: ChildProcess, stream: 'stdout' | 'stderr', wanted: RegExp): Promise<string> {
  const seen: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const output of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[output] as NodeJS.ReadableStream }).on('line', (line) => {
      seen.push(line);
      if (output === stream && wanted.test(line)) resolve(line);
    });
  }
  child.once('close', (code) => reject(new Error(`It ended with ${code}:\n${seen.slice(-20).join('\n')}`)));
  return promise;
}

/** Sends a signal and resolves with the exit code; a signal's name where it was killed. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  child.kill(signal);
  const [code, by] = await exited;
  return code ?? by;
}

/** The service on a port, with these settings and no others; resolves when it listens. */
export async function startService(port: number, settings: Record<string, string>): Promise<ChildProcess> {
  const { PATH = '' } = process.env;
  const own = { PATH, TELEMETRY_API_HOST: '127.0.0.1', TELEMETRY_API_PORT: String(port), TELEMETRY_READERS: '2' };
  const child = start(LAUNCHER, ['serve'], { ...own, ...settings });
  await lineOf(child, 'stdout', /"url": "http/);
  return child;
}

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
