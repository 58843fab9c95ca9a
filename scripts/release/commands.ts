/** git and npm, run in the folder of a project. */
import { execFileSync } from 'node:child_process';

/** @returns what git prints, trimmed; undefined where it fails */
export function ask(root: string, ...words: string[]): string | undefined {
  try {
    return execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Runs a command with its output shown. @throws Error where it fails */
export function run(root: string, command: string, ...words: string[]): void {
  try {
    // npm is a script on Windows, which only a shell starts; none of the words comes from outside.
    execFileSync(command, words, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32' && command === 'npm',
    });
  } catch {
    throw new Error(`${[command, ...words].join(' ')} failed; what it printed stands above.`);
  }
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
