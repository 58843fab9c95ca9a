/** Runs a command to its end as a shell would, and says how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { describe, systemCode } from '../../errors.ts';
import type { Environment } from '../terminal.ts';
import { Passing } from './stderr.ts';
import { Tail } from './tail.ts';

/** As shells have it. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;
const BY_SIGNAL = 128;

export interface CommandEnd {
  /** What a shell would give. */
  code: number;
  signal: NodeJS.Signals | undefined;
  /** Why there was nothing to run, with the remedy; undefined where the command was started. */
  notStarted: string | undefined;
  /** The end of what it said on stderr; empty where it is not kept. */
  stderr: string;
}

export interface CommandOptions {
  environment: Environment;
  /** Bytes of stderr to keep; 0 hands ours over to the command. */
  tailBytes: number;
  /** Is given the process at once, in the same turn. */
  started: (child: ChildProcess) => void;
}

/** @param words the program and its arguments @returns its end; never rejects */
export async function runToItsEnd(
  [program = '', ...words]: readonly string[],
  { environment, tailBytes, started }: CommandOptions,
): Promise<CommandEnd> {
  const stderr = tailBytes > 0 ? 'pipe' : 'inherit';
  const child = spawn(program, words, { env: environment, stdio: ['inherit', 'inherit', stderr] });
  started(child);
  const tail = new Tail(tailBytes);
  const passing = child.stderr && new Passing(child.stderr, tail);
  const end = await endOf(child, program);
  await passing?.settle();
  return { ...end, stderr: passing ? tail.text : '' };
}

function endOf(child: ChildProcess, program: string): Promise<Omit<CommandEnd, 'stderr'>> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // Also where it could not be sent a signal; then it goes on.
      if (child.pid === undefined) resolve({ ...reasonOf(error, program), signal: undefined });
    });
    child.once('exit', (code, signal) => {
      const shown = code ?? BY_SIGNAL + constants.signals[signal as NodeJS.Signals];
      resolve({ code: shown, signal: signal ?? undefined, notStarted: undefined });
    });
  });
}

function reasonOf(error: Error, program: string): { code: number; notStarted: string } {
  switch (systemCode(error)) {
    case 'ENOENT':
      return { code: NOT_FOUND, notStarted: `${program} is not found; give its path, or a program that is in PATH` };
    case 'EACCES':
      return { code: NOT_STARTED, notStarted: `${program} may not be executed; make it executable: chmod +x` };
    default:
      return { code: NOT_STARTED, notStarted: `${program} cannot be started (${describe(error)})` };
  }
}
