/** What `docker build` sees of a checkout: its files, less what .dockerignore names. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Pattern {
  path: string;
  included: boolean;
}

/** The patterns of a .dockerignore: `*`, whole paths, and `!` before them. @throws Error for any other */
export function parseIgnore(text: string): Pattern[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(patternOf);
}

function patternOf(line: string): Pattern {
  const included = line.startsWith('!');
  const path = included ? line.slice(1) : line;
  if (path !== '*' && !/^[\w.-]+(\/[\w.-]+)*$/.test(path)) throw new Error(`.dockerignore: not understood: ${line}`);
  return { path, included };
}

/** Whether a file is sent; the last pattern that fits decides. */
export function isSent(path: string, patterns: readonly Pattern[]): boolean {
  const last = patterns.findLast((pattern) => pattern.path === '*' || `${path}/`.startsWith(`${pattern.path}/`));
  return last?.included ?? true;
}

/** The files of a checkout that are sent, relative to it: committed ones, and new ones that git does not ignore. */
export function sentFiles(root: string): string[] {
  const patterns = parseIgnore(readFileSync(join(root, '.dockerignore'), 'utf8'));
  const all = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return all.split('\0').filter((path) => path !== '' && isSent(path, patterns) && existsSync(join(root, path)));
}

/** Copies them, readable for their owner only: the strictest checkout that there is. @returns how many */
export function copyContext(root: string, to: string): number {
  const files = sentFiles(root);
  for (const path of files) {
    mkdirSync(dirname(join(to, path)), { recursive: true, mode: 0o700 });
    copyFileSync(join(root, path), join(to, path));
    chmodSync(join(to, path), 0o600);
  }
  return files.length;
}
