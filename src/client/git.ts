/** What repository the agent works in: asked of git once, in the background, and remembered by folder. */
import { withoutCredentials } from '../run.ts';
import { clearTimeout, setTimeout } from './clock.ts';

export interface GitContext {
  git_repo?: string;
  git_branch?: string;
  /** `repository/branch`, to group runs by. */
  git_run_tag?: string;
}

const TIMEOUT_MS = 2_000;
const known = new Map<string, Promise<GitContext>>();

/** @returns what is known of the folder's repository; empty outside of one or without git. Never rejects */
export function gitContext(folder: string): Promise<GitContext> {
  let context = known.get(folder);
  if (!context) {
    context = detect(folder).catch(() => ({}));
    known.set(folder, context);
  }
  return context;
}

async function detect(folder: string): Promise<GitContext> {
  const [remote, branch, root] = await Promise.all([
    git(folder, 'config', '--get', 'remote.origin.url'),
    git(folder, 'rev-parse', '--abbrev-ref', 'HEAD'),
    git(folder, 'rev-parse', '--show-toplevel'),
  ]);
  if (root === undefined) return {};
  const repo = remote === undefined ? nameOf(root) : withoutCredentials(remote);
  // Detached: there is no branch.
  const onBranch = branch === 'HEAD' ? undefined : branch;
  const tag = onBranch === undefined ? nameOf(repo) : `${nameOf(repo)}/${onBranch}`;
  return { git_repo: repo, ...(onBranch !== undefined && { git_branch: onBranch }), git_run_tag: tag };
}

/** The last part of a path or address, without `.git`. */
function nameOf(repo: string): string {
  const parts = repo.replace(/(?<![/\\])[/\\]+$/, '').split(/[/\\:]/);
  return (parts.at(-1) ?? repo).replace(/\.git$/, '');
}

async function git(folder: string, ...words: string[]): Promise<string | undefined> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    const options = {
      cwd: folder,
      windowsHide: true,
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
    };
    const child = execFile('git', words, options, (error, stdout) => {
      clearTimeout(timer);
      const line = stdout.trim();
      resolve(error || line === '' ? undefined : line);
    });
    // An agent that is done must not wait for git, nor for the timer that execFile's own timeout would be.
    const timer = setTimeout(() => child.kill(), TIMEOUT_MS).unref();
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?(): void } | null)?.unref?.();
  });
}
