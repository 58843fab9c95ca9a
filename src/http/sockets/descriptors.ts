/** How many connections the limit on open files allows, so that there are always descriptors for the database. */
import { readdirSync, readFileSync } from 'node:fs';

/** Kept for journals, backups, spool files, the control socket, and connections that are just being refused. */
export const KEPT = 48;
/** Fewer are of no use to anyone. */
const LEAST = 8;
/** What is taken unless told otherwise, however many there could be. */
const DEFAULT_CONNECTIONS = 2_000;

/** What the system says; undefined where it does not say. */
export interface Descriptors {
  limit: number;
  open: number;
}

/** Of this process, to be asked when everything but the connections is open. Linux only. */
export function descriptorsHere(): Descriptors | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return { limit: limit === undefined ? Infinity : Number(limit), open: readdirSync('/proc/self/fd').length };
  } catch {
    return undefined;
  }
}

/**
 * @param wanted by the configuration; undefined where it does not say
 * @returns how many connections are taken, fewer than wanted where the limit on open files is lower
 */
export function connectionsWithin(wanted: number | undefined, descriptors = descriptorsHere()): number {
  const possible = descriptors ? Math.max(LEAST, descriptors.limit - descriptors.open - KEPT) : Infinity;
  return Math.min(wanted ?? DEFAULT_CONNECTIONS, possible);
}
