/** What the checks of `doctor` look at: gathered once, and with nothing written or made. */
import { closeSync, existsSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Connection } from '../../actors/database.ts';
import type { Config } from '../../config.ts';
import { describe, TelemetryError } from '../../errors.ts';
import { openProven } from '../../offline/checks.ts';
import { statOf } from '../../offline/files.ts';
import type { SpoolCounts } from '../../actors/spool/progress.ts';
import { valueOf } from '../answer.ts';
import type { Target } from '../answer.ts';
import { openSocket } from '../target.ts';

/** What GET /control/status says. */
export interface ServiceStatus {
  version: string;
  pid: number;
  db_path: string;
  journal_mode: string;
  synchronous: string;
  spool: SpoolCounts;
  time: string;
}

/** The header of a database that nobody has open (SQLite file format 1.3). */
export interface Header {
  pageSize: number;
  pages: number;
  freePages: number;
  wal: boolean;
  autoVacuum: 'NONE' | 'FULL' | 'INCREMENTAL';
}

export interface Look extends AsyncDisposable {
  config: Config;
  /** The database's real path where its folder is there. */
  path: string;
  /** Who answers on the control socket. */
  service: Target | undefined;
  status: ServiceStatus | undefined;
  /** Why the control socket did not answer as it should. */
  socketProblem: string | undefined;
  /** It took the connection and gave no answer. */
  hangs: boolean;
  /** Only where no service runs, and reading leaves nothing behind. */
  db: Connection | undefined;
  /** Why there is no connection though there is a database. */
  unread: string | undefined;
  header: Header | undefined;
}

const BUSY_TIMEOUT_MS = 250;
const HEADER_BYTES = 100;

/** @param open finds the service on the control socket */
export async function look(config: Config, lockHeld: boolean, open = openSocket): Promise<Look> {
  const path = realOf(config.database.path);
  const found: Look = {
    ...{ config, path, service: undefined, status: undefined, socketProblem: undefined, hangs: false },
    ...{ db: undefined, unread: undefined, header: undefined },
    async [Symbol.asyncDispose]() {
      found.db?.close();
      await found.service?.[Symbol.asyncDispose]();
    },
  };
  try {
    found.service = await open(config);
    if (found.service) {
      const answer = await found.service.request('GET', '/control/status');
      found.status = valueOf<ServiceStatus>(answer, found.service.where);
    }
  } catch (error) {
    found.socketProblem = describe(error);
    found.hangs = error instanceof TelemetryError && error.code === 'unavailable';
    // No other check is to wait for it.
    await found.service?.[Symbol.asyncDispose]();
    found.service = undefined;
  }
  // A live file is its service's: nothing but `stat` may touch it.
  if (!found.service && !lockHeld && found.socketProblem === undefined) readClosed(found);
  return found;
}

function readClosed(found: Look): void {
  const { path } = found;
  try {
    if (!statOf(path)?.isFile()) return;
    found.header = headerOf(path);
    if (existsSync(`${path}-journal`)) found.unread = 'a crash left a journal, which only the next start may bring in';
    else if (found.header?.wal) found.unread = 'it is in WAL mode, where reading makes files beside it';
    else if (found.header) found.db = openProven(path, BUSY_TIMEOUT_MS);
  } catch (error) {
    found.unread = describe(error);
  }
}

/** HAZARD: opens the file with `fs`, so only before this process has a connection to it. */
function headerOf(path: string): Header | undefined {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    if (readSync(descriptor, bytes, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
  } finally {
    closeSync(descriptor);
  }
  if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') return undefined;
  const size = bytes.readUInt16BE(16);
  return {
    pageSize: size === 1 ? 65_536 : size,
    pages: bytes.readUInt32BE(28),
    freePages: bytes.readUInt32BE(36),
    wal: bytes[18] === 2,
    autoVacuum: bytes.readUInt32BE(52) === 0 ? 'NONE' : bytes.readUInt32BE(64) === 0 ? 'FULL' : 'INCREMENTAL',
  };
}

/** A path without symbolic links, as far as it is there. */
export function realOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realOf(parent), basename(absolute));
  }
}

/** The path itself where it is there, else the nearest folder above it that is. */
export function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) if (statOf(at) || dirname(at) === at) return at;
}
