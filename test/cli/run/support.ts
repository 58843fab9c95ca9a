/** `run` as its own process, in a session of its own: whatever terminal the tests have is not its terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { linesIn, type Line } from '../../support/client.ts';
import { OURS, MAIN, temporaryDirectory } from '../../support/service.ts';

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: Buffer;
}

export interface RunBench {
  base: string;
  settings: Record<string, string>;
  /** What is spooled, in the order of its times. */
  spooled: () => Line[];
  /** Starts `run` with these words behind it; ended with the test if it is not over. */
  start: (words: readonly string[], settings?: Record<string, string>) => ChildProcess;
  /** The same to its end, with this on stdin. */
  run: (words: readonly string[], settings?: Record<string, string>, input?: Uint8Array) => Promise<Finished>;
}

/** A folder of its own, and a service that is down. */
export function runBench(t: TestContext, base = temporaryDirectory(t)): RunBench {
  const settings = { TELEMETRY_BASE_DIR: base, TELEMETRY_API_URL: 'http://127.0.0.1:1' };
  const start: RunBench['start'] = (words, more = {}) => {
    const env = { ...OURS, ...settings, ...more };
    const child = spawn(process.execPath, [MAIN, 'run', ...words], { env, stdio: 'pipe', detached: true });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const run: RunBench['run'] = async (words, more, input) => {
    const child = start(words, more);
    const ended = finished(child);
    child.stdin?.on('error', () => undefined).end(input);
    return ended;
  };
  const spooled = (): Line[] =>
    linesIn(join(base, 'buffer')).sort((a, b) => (String(a.updated_at) < String(b.updated_at) ? -1 : 1));
  return { base, settings, start, run, spooled };
}

/** All that it writes until its end. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ['stdout', 'stderr'] as const) {
    // A stream that was paused stays so, whoever listens.
    child[name]?.on('data', (chunk: Buffer) => output[name].push(chunk)).resume();
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr) };
}

/** Resolves with all of stdout so far, once this is in it. */
export function printed(child: ChildProcess, what: string | RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (typeof what === 'string' ? text.includes(what) : what.test(text)) resolve(text);
    });
  });
}

/** A script of Node as a command. */
export const script = (code: string): string[] => [process.execPath, '-e', code];
