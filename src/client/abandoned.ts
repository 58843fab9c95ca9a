/** Finds spool files that their clients have left behind, and takes them. */
import { opendir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that nobody has touched for so long is abandoned; whoever still writes to it will notice that it was taken. */
const ABANDONED_MS = 5 * 60_000;
/** Files taken at once; the others are found the next time. */
const MAX_FILES = 1_000;

/** Of our kind. Those of older clients are the service's. */
const OURS = /^telemetry_.*_[0-9a-f]{16}\.jsonl\.(live|sealed)$/;

/**
 * @param isMine whether a file of that name is this client's own
 * @returns paths, sealed: nobody writes to them any more
 */
export async function takeAbandoned(
  directory: string,
  isMine: (name: string) => boolean,
  now: number,
): Promise<string[]> {
  const taken: string[] = [];
  try {
    // In portions, for there may be very many.
    for await (const { name } of await opendir(directory)) {
      if (!OURS.test(name) || isMine(name)) continue;
      const path = await sealed(join(directory, name), now);
      if (path !== undefined && taken.push(path) >= MAX_FILES) break;
    }
  } catch {
    // Not there, or not to be read: then there is nothing to take.
  }
  // Their names begin with a time.
  return taken.sort();
}

async function sealed(path: string, now: number): Promise<string | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    if (Math.abs(now - mtimeMs) < ABANDONED_MS) return undefined;
    const target = path.replace(/\.live$/, '.sealed');
    if (target !== path) await rename(path, target);
    return target;
  } catch {
    // Somebody else was quicker, or it is not ours to take.
    return undefined;
  }
}
