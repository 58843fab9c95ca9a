/** Paths without symbolic links: what protects a database, and what SQLite puts beside it, lie at its real name. */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { systemCode } from '../../errors.ts';

/** Links that lead to links; the systems' own bound. */
const MAX_LINKS = 40;

/**
 * A path without symbolic links, whether or not its file exists yet: locks and journal of a database lie beside its real
 * name, so a link to a file that is still to be made must lead there too.
 *
 * @throws the system's error where its directory is missing
 */
export function realPath(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const target = linkAt(at);
    if (target === undefined) return join(realpathSync(dirname(at)), basename(at));
    at = resolve(realpathSync(dirname(at)), target);
  }
  return realpathSync(at);
}

/** The real path; the path as it is given where there is no folder for it yet. */
export function likelyPath(path: string): string {
  try {
    return realPath(path);
  } catch {
    // What else is wrong with the path, making the folder tells.
    return path;
  }
}

/**
 * The folder on the way to a path that this process may not look into, links followed; undefined where there is none. To be
 * asked where the system has said EACCES: links that lead to links are walked again and again.
 */
export function closedFolder(path: string, links = MAX_LINKS): string | undefined {
  const folder = dirname(path);
  if (folder === path || links === 0) return undefined;
  const above = closedFolder(folder, links);
  if (above !== undefined) return above;
  try {
    const target = linkAt(path);
    return target === undefined ? undefined : closedFolder(resolve(realpathSync(folder), target), links - 1);
  } catch (error) {
    return systemCode(error) === 'EACCES' ? realpathSync(folder) : undefined;
  }
}

/** Where a symbolic link leads; undefined for anything else. */
function linkAt(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}
