/**
 * Builds the image by hand, line by line of the Dockerfile, and runs it as `docker run --read-only --cap-drop ALL` would. Needs
 * Linux and root, and no Docker; the registry is asked for the packages.
 *
 * node test/container/run.ts
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyNot } from './base.ts';
import { build } from './build.ts';
import { checkLife, checkRefusal } from './checks.ts';
import { copyContext } from './context.ts';
import { configOf, parseDockerfile, type Stage } from './dockerfile.ts';
import { checkFiles } from './files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Says what was seen. @returns whether it is as it should be */
export type Check = (good: boolean, what: string) => void;

async function walk(folder: string): Promise<number> {
  let failures = 0;
  const check: Check = (good, what) => {
    if (!good) failures++;
    say(`${good ? 'ok      ' : 'FAILED  '} ${what}`);
  };
  const context = join(folder, 'context');
  mkdirSync(context);
  say(`         ${copyContext(ROOT, context)} files are sent to the build`);
  const stages = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  const root = build(stages, { context, folder, node: process.execPath, say });
  check(true, `the ${stages.length} stages of the Dockerfile are built`);
  const image = configOf(stages.at(-1) as Stage);
  checkFiles(root, context, check);
  const data = join(folder, 'data');
  // As Docker makes a volume: with the owner and the files of the image's folder.
  execFileSync('cp', ['-a', join(root, 'data'), data]);
  await checkLife({ root, data, image, check });
  await checkRefusal({ root, data: join(folder, 'foreign'), image, check });
  return failures;
}

const reason = whyNot();
if (reason !== undefined) say(`Skipped: building and running the image by hand ${reason}.`);
else {
  const folder = mkdtempSync(join(tmpdir(), 'telemetry-container-'));
  chmodSync(folder, 0o755);
  try {
    const failures = await walk(folder);
    say(failures === 0 ? 'All is well' : `${failures} checks failed`);
    process.exitCode = failures === 0 ? 0 : 1;
  } catch (error) {
    say(`FAILED   ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
