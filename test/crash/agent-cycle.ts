/** Agents and services that are killed, and the drain in the end; shared by the script and the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OURS, type Environment, localEnvironment, type ServiceProcess, spawnService } from '../support/service.ts';
import { kill } from './cycle.ts';

const AGENT = fileURLToPath(new URL('./agent.ts', import.meta.url));
/** Past the grace that the service leaves a client for its own lines. */
const OLD_MS = 10_000;
const MAX_DRAIN_MS = 60_000;
const MAX_LIFE_MS = 4_000;

/** When an agent is killed: as so many of its lines have been read, and so much later. */
export interface AgentMoment {
  lines: number;
  delayMs: number;
}

export interface AgentOptions {
  directory: string;
  url: string;
  name: string;
  seed: number;
  moment: AgentMoment;
  /** Takes each whole line the agent wrote. */
  onLine: (line: string) => void;
}

/** Lets an agent live until its moment. Resolves when it is dead and all it wrote is read. @throws when it ended by itself */
export async function liveAndDie({ directory, url, name, seed, moment, onLine }: AgentOptions): Promise<void> {
  const env = { ...OURS, TELEMETRY_BASE_DIR: directory, TELEMETRY_API_URL: url };
  const agent = spawn(process.execPath, [AGENT, name, String(seed)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  agent.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let read = 0;
  let text = '';
  agent.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${text}${chunk}`.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      onLine(line);
      if (++read === moment.lines) {
        if (moment.delayMs === 0) agent.kill('SIGKILL');
        else setTimeout(() => agent.kill('SIGKILL'), moment.delayMs);
      }
    }
  });
  // Whoever waits for a service that hangs says little.
  const old = setTimeout(() => agent.kill('SIGKILL'), MAX_LIFE_MS);
  const [code, signal] = (await once(agent, 'close')) as [number | null, string | null];
  clearTimeout(old);
  if (signal !== 'SIGKILL') throw new Error(`The agent ended by itself with ${code}: ${stderr}`);
}

/** Makes the files of dead clients old, as they would be in a few seconds. */
export function age(directory: string, ageMs = OLD_MS): void {
  const then = (Date.now() - ageMs) / 1_000;
  for (const path of globSync('buffer/*.live', { cwd: directory })) touch(join(directory, path), then);
}

function touch(path: string, time: number): void {
  try {
    utimesSync(path, time, time);
  } catch {
    // Its client had it acknowledged, and removed it.
  }
}

/** Bytes behind the last line break of each file: torn by a kill, they wait for ever. */
function tornBytes(directory: string): number {
  const torn = (path: string): number => {
    const bytes = readFileSync(join(directory, path));
    return bytes.length - (bytes.lastIndexOf(0x0a) + 1);
  };
  return spoolFiles(directory).reduce((sum, path) => sum + torn(path), 0);
}

const spoolFiles = (directory: string): string[] => globSync('buffer/*.{live,sealed}', { cwd: directory });

/** Resolves once the service has stored what lies in the spool; nobody may write to it any more. @throws after a minute */
export async function drained({ child, lines, request }: ServiceProcess, directory: string): Promise<void> {
  const torn = tornBytes(directory);
  const signal = AbortSignal.timeout(MAX_DRAIN_MS);
  for (;;) {
    const seen = lines.length;
    const { body } = await request('GET', '/metrics');
    const { files, pending_bytes } = (body as { spool: { files: number; pending_bytes: number } }).spool;
    // No files where there are some: it has not looked yet.
    if (pending_bytes <= torn && (files > 0 || spoolFiles(directory).length === 0)) return;
    const stdout = child.stdout as NodeJS.ReadableStream & NodeJS.EventEmitter;
    while (lines.length === seen) await once(stdout, 'data', { signal });
  }
}

/** Starts a service on the folder, lets it drain the spool, and ends it. */
export async function drainAll(directory: string, settings: Environment = {}): Promise<void> {
  const service = await spawnService({ ...localEnvironment(directory), ...settings });
  try {
    await drained(service, directory);
    service.child.kill('SIGTERM');
    const [code] = await service.exited;
    if (code !== 0) throw new Error(`The service ended with ${code}`);
  } finally {
    await kill(service);
  }
}

/** A server that accepts and never answers. */
export async function startHanging(): Promise<{ url: string } & Disposable> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.dispose]: () => void server.close() };
}
