/** Run by npm before `npm publish` of a folder: only what was released is published. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitOf, mustBeClean } from './commands.ts';

/** @throws Error where what lies here is not what the tag of its version stands for */
export function mustBeReleased(root: string): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const tagged = commitOf(root, `refs/tags/v${version}`);
  if (tagged === undefined) {
    throw new Error(`Version ${version} is not released: there is no tag v${version}. Run npm run release first.`);
  }
  if (tagged !== commitOf(root, 'HEAD')) {
    throw new Error(`This is not version ${version} as it was released. Run git checkout v${version} first.`);
  }
  mustBeClean(root);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    mustBeReleased(fileURLToPath(new URL('../..', import.meta.url)));
  } catch (error) {
    process.stderr.write(`Nothing is published. ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
