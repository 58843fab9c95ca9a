/** What the checks of the package share: a line for each check, and commands that end in time. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND_MS = 180_000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** npm's own settings of the run that started us would lead a second npm to the wrong folder. */
const inherited = Object.entries(process.env).filter(
  ([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$|TELEMETRY_)/i.test(name),
);

/** The environment of every command: this very Node comes first in PATH, and no setting of ours. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(inherited),
  PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
};

/** Runs a command to its end; what lasts longer than 3 minutes is ended, and has failed. */
export function run(
  folder: string,
  [command = '', ...words]: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const env = { ...ENVIRONMENT, ...environment };
  const options = { cwd: folder, env, timeout: COMMAND_MS, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(command, words, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
      resolve({ code, stdout, stderr: error && stderr === '' ? error.message : stderr });
    });
  });
}

/** A tool of this project's own node_modules. */
export const tool = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

export class Checks {
  failed = 0;

  /** Prints a line; a check fails where it throws or rejects, and the others go on. */
  async check(name: string, work: () => Promise<void> | void): Promise<boolean> {
    const started = performance.now();
    try {
      await work();
      process.stdout.write(`ok      ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
      return true;
    } catch (error) {
      this.failed++;
      const text = error instanceof Error ? error.message : String(error);
      process.stdout.write(`FAILED  ${name}\n${text.replaceAll(/^/gm, '          ')}\n`);
      return false;
    }
  }

  skip(name: string, why: string): void {
    process.stdout.write(`skipped ${name}: ${why}\n`);
  }
}

/** @throws Error with what the command printed, where it did not end with this code */
export function expectCode({ code, stdout, stderr }: Ended, expected = 0): void {
  if (code !== expected) throw new Error(`exit ${code} in place of ${expected}\n${stdout}${stderr}`);
}
