/** A service in 1 GiB: in a cgroup where one can be made, else watched by the most memory it ever had. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Environment, MAIN, OURS } from '../support/service.ts';

export const LIMIT_BYTES = 1024 * 1024 * 1024;
const CGROUPS = '/sys/fs/cgroup';

export interface Boxed {
  url: string;
  child: ChildProcess;
  /** The most memory it had so far, in bytes. */
  peak: () => number;
  alive: () => boolean;
  end: () => Promise<void>;
}

/** A new cgroup with the limit; undefined where the system gives none: not root, version 1, no memory controller. */
export function makeGroup(): string | undefined {
  const path = join(CGROUPS, `local-telemetry-${process.pid}`);
  try {
    if (!readFileSync(join(CGROUPS, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('memory')) return undefined;
    mkdirSync(path);
    writeFileSync(join(path, 'memory.max'), String(LIMIT_BYTES));
    writeFileSync(join(path, 'memory.swap.max'), '0');
    return path;
  } catch {
    removeGroup(path);
    return undefined;
  }
}

export function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It was never made, or a process in it is still ending; it is empty then, and harmless.
  }
}

/** Starts the service as its own process. @param group its cgroup; undefined where there is none */
export async function startBoxed(environment: Environment, group: string | undefined): Promise<Boxed> {
  // The shell goes into the group, and becomes the service.
  const enter = group === undefined ? '' : `echo $$ > ${join(group, 'cgroup.procs')}; `;
  const child = spawn('sh', ['-c', `${enter}exec "$0" "$@"`, process.execPath, MAIN, 'serve'], {
    env: { ...OURS, ...environment, TELEMETRY_LOG_LEVEL: 'INFO' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    url = /"url": "([^"]+)"/.exec(line)?.[1] ?? '';
    if (url !== '') break;
  }
  child.stdout.resume();
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    url,
    child,
    alive,
    peak: () => (alive() ? peakOf(Number(child.pid)) : Infinity),
    end: async () => {
      child.kill();
      await exited;
    },
  };
}

function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
