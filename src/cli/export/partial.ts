/** A file that is made under a name of its own, and takes its name once it is complete and on disk. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { takeName } from '../../offline/files.ts';
import { onInterrupt } from '../interrupt.ts';

const PRIVATE = 0o600;

/** Its name is taken by another file, which was left as it is. */
export class NameTaken extends Error {}

/**
 * Has the file written, and gives it its name then. Where that fails, or a signal ends the process meanwhile, nothing is left
 * behind.
 *
 * @param write is given the open file, and closes it
 * @param mayReplace asked once the file is complete, whether it may take the place of another; may throw
 * @throws NameTaken, and the system's errors
 */
export async function makeWhole(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  mayReplace: () => boolean,
): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const file = await open(partial, 'wx', PRIVATE);
  const interrupt = onInterrupt(() => rmSync(partial, { force: true }));
  try {
    await write(file);
    await sync(partial);
    if (mayReplace()) await rename(partial, path);
    // A rename would replace what another has put there meanwhile.
    else if (!takeName(partial, path)) throw new NameTaken(path);
    await sync(dirname(resolve(path)));
  } finally {
    // Gone with its disk, say; the first error is the one to be told.
    await rm(partial, { force: true }).catch(() => undefined);
    interrupt[Symbol.dispose]();
  }
}

/** A name that survives a power cut must not lead to a file that did not. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
