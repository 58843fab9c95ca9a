/** The local socket beside the database: whoever may open that file may operate the service. */
import { statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { systemCode } from '../errors.ts';

/** Bytes that a socket's path may have, on every system. */
const MAX_PATH = 103;

/** @param databasePath the database's real path */
export const socketPathOf = (databasePath: string): string => `${databasePath}.sock`;

/** Why there can be no socket of this path; undefined where there can. */
export function objectionTo(path: string): string | undefined {
  if (process.platform === 'win32') return 'this system has no local sockets';
  const bytes = Buffer.byteLength(path);
  return bytes > MAX_PATH ? `its path has ${bytes} bytes, and ${MAX_PATH} are possible` : undefined;
}

/**
 * Listens, for this user only. Whoever calls holds the database's lock, so a socket that is there is a dead one's.
 *
 * @throws the system's error
 */
export function listenPrivately(server: Server, path: string): void {
  removeSocket(path);
  // From its first moment on: a socket that is made private later can be opened before.
  const mask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(mask);
  }
}

function removeSocket(path: string): void {
  try {
    if (statSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
