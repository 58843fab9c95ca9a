/** The end of a spool file: what nobody touches becomes `.sealed`, what is read `.synced`, and is removed a week later. */
import { existsSync, renameSync, unlinkSync } from 'node:fs';
import { describe, systemCode } from '../../errors.ts';
import type { SpoolEntry, SpoolState } from './files.ts';
import { pathOf } from './names.ts';
import type { Notes } from './notes.ts';
import type { Tail } from './tail.ts';

export interface RetireOptions {
  directory: string;
  maxAgeMs: number;
  now: number;
  notes: Notes;
}

/** A file that cannot be renamed is tried again after this. */
const RETRY_MS = 30_000;

/**
 * Gives a file its next state, if it is time for that.
 *
 * @returns whether names were changed: the directory is to be synced
 */
export function retire(tail: Tail, { directory, maxAgeMs, now, notes }: RetireOptions): boolean {
  const { name, state, size, place } = tail;
  if (tail.blockedUntil > now) return false;
  if (state === 'live' && place.scanned >= size && now - tail.mtimeMs > maxAgeMs) {
    // It is complete: its client has ended, or will notice and go on in another file.
    const sealed = rename(tail, 'sealed', directory, notes);
    if (sealed) notes.info('Spool file of a client that has gone is sealed', { file: name });
    else tail.blockedUntil = now + RETRY_MS;
    return sealed;
  }
  if (!tail.isAtRest(now) || place.position !== size || !tail.isProven) return false;
  const synced = rename(tail, 'synced', directory, notes);
  if (synced) notes.info('Spool file is synced', { file: name, bytes: size });
  else tail.blockedUntil = now + RETRY_MS;
  return synced;
}

/**
 * Renames a file. A name that is taken is left: nothing is ever overwritten.
 *
 * @returns whether it is done, or has been done by somebody else
 */
function rename({ name, state }: Tail, to: SpoolState, directory: string, notes: Notes): boolean {
  const target = pathOf(directory, name, to);
  let why: string;
  try {
    if (existsSync(target)) why = `there is a file ${name}.jsonl.${to}`;
    else {
      renameSync(pathOf(directory, name, state), target);
      return true;
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    why = describe(error);
  }
  if (notes.isNew(name, why)) {
    notes.warning('Spool file is read to its end but cannot be renamed', { file: name, state, reason: why });
  }
  return false;
}

/** Removes a `.synced` file. */
export function remove(directory: string, { name, state }: SpoolEntry, notes: Notes): void {
  try {
    unlinkSync(pathOf(directory, name, state));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    const why = describe(error);
    if (notes.isNew(name, why)) notes.warning('Spool file cannot be removed', { file: name, reason: why });
  }
}
