/** What must be in the image, and what must not. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from './run.ts';
import { bytesOf } from './tree.ts';

const MIB = 1024 * 1024;
const NOT_NEEDED = ['npm', 'npx', 'yarn', 'yarnpkg', 'corepack'];

interface Lock {
  packages: Record<string, { dev?: true; optional?: true }>;
}

/** @param context the files that the build was sent */
export function checkFiles(root: string, context: string, check: Check): void {
  const app = join(root, 'app');
  const { packages } = JSON.parse(readFileSync(join(context, 'package-lock.json'), 'utf8')) as Lock;
  const places = Object.entries(packages).filter(([path]) => path !== '');
  const there = places.filter(([path]) => existsSync(join(app, path)));
  const needless = there.filter(([, { dev }]) => dev).map(([path]) => path);
  check(needless.length === 0, `no dependency of development is there ${needless.join(' ')}`);
  // Those of other systems are optional.
  const missing = places.filter((place) => !place[1].dev && !place[1].optional && !there.includes(place));
  check(missing.length === 0, `every other dependency is there ${missing.map(([path]) => path).join(' ')}`);
  const local = join(root, 'usr', 'local');
  const left = NOT_NEEDED.filter((name) => existsSync(join(local, 'bin', name)));
  check(left.length === 0 && !existsSync(join(local, 'lib', 'node_modules')), `no npm is there ${left.join(' ')}`);
  const sources = globSync('{src,test,scripts,dist,bin}/**/*.ts', { cwd: app }).filter(
    (path) => !path.endsWith('.d.ts'),
  );
  check(sources.length === 0, `no sources are there ${sources.join(' ')}`);
  const closed = globSync('**/*', { cwd: app }).filter((path) => !isReadable(join(app, path)));
  check(
    closed.length === 0,
    `every user may read what is there, though the checkout was its owner's alone ${closed.join(' ')}`,
  );
  const size = (path: string): string => `${path} ${Math.round(bytesOf(join(app, path)) / MIB)} MiB`;
  check(true, `sizes: ${['dist', 'migrations', 'node_modules'].map(size).join(', ')}`);
}

/** By everybody, a folder to be walked through too. */
function isReadable(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const wanted = found.isDirectory() ? 0o555 : 0o444;
  return (found.mode & wanted) === wanted;
}
