/** git and npm, run in the folder of a project. */
import { execFileSync, spawn } from 'node:child_process';

const interruption = new AbortController();

/** From now on a signal ends the command that runs, and `run` throws: so whoever called it can put things back. */
export function catchSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => interruption.abort(new Error(`It was ended by ${name}.`)));
}

/** @returns what git prints, trimmed; undefined where it fails */
export function ask(root: string, ...words: string[]): string | undefined {
  try {
    return execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Runs a command to its end, with its output shown. @throws Error where it fails, or a signal ended it */
export async function run(root: string, command: string, ...words: string[]): Promise<void> {
  const { signal } = interruption;
  signal.throwIfAborted();
  const onWindows = process.platform === 'win32';
  // npm is a script on Windows, which only a shell starts; none of the words comes from outside.
  const shell = onWindows && command === 'npm';
  // npm ends without what it has started: so it gets a group, which is ended whole. git stays with the terminal, where
  // it may ask for the passphrase of a key.
  const detached = !onWindows && command === 'npm';
  const child = spawn(command, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell, detached });
  const end = (): void => {
    try {
      process.kill(detached ? -Number(child.pid) : Number(child.pid));
    } catch {
      // It has just ended by itself.
    }
  };
  signal.addEventListener('abort', end);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${[command, ...words].join(' ')} failed; what it printed stands above.`);
}

/** The commit that a name stands for; undefined where there is none. */
export const commitOf = (root: string, name: string): string | undefined =>
  ask(root, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`);

/** @throws Error where something is not committed, or this is no repository */
export function mustBeClean(root: string): void {
  const status = ask(root, 'status', '--porcelain');
  if (status === undefined) throw new Error(`${root} is no git repository. Release from a clone.`);
  if (status !== '') throw new Error(`These are not committed:\n${status}\nCommit them, or put them away.`);
}
