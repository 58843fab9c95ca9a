/** Who has the database: the lock, the name beside it, the control socket. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openReadonly } from '../../actors/database.ts';
import { describe, systemCode } from '../../errors.ts';
import { type Check, bad, ok, warning } from '../../offline/check.ts';
import { statOf } from '../../offline/files.ts';
import { isAlive } from '../../offline/in-use.ts';
import type { Look } from './look.ts';

export interface LockState {
  path: string;
  held: boolean;
  /** Why it cannot be told. */
  problem?: string;
  holder?: { pid: number; host: string; since: string } | undefined;
}

/** The first lock that says something: held, or not to be looked at. */
export function lockOf(paths: readonly (string | undefined)[]): LockState {
  const states = paths.filter((path) => path !== undefined).map(lockAt);
  return states.find(({ held, problem }) => held || problem !== undefined) ?? (states[0] as LockState);
}

/** Looks at a lock file without taking it; none is made. */
function lockAt(path: string): LockState {
  const state: LockState = { path, held: false, holder: holderOf(`${path}.holder`) };
  try {
    if (!statOf(path)) return state;
    const db = openReadonly(path, 1);
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      db.close();
    }
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code.startsWith('SQLITE_BUSY')) state.held = true;
    // The text lock file of the predecessor, which the next start sets aside.
    else if (code !== 'SQLITE_NOTADB') state.problem = describe(error);
  }
  return state;
}

function holderOf(path: string): LockState['holder'] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockState['holder'];
  } catch {
    return undefined;
  }
}

export function checkLock({ path, held, problem, holder }: LockState, { status, socketProblem, hangs }: Look): Check {
  const who = holder ? `pid ${holder.pid} on host ${holder.host} since ${holder.since}` : 'a process without a name';
  if (problem !== undefined) {
    return bad('lock', `${path} cannot be looked at: ${problem}`, 'Run this as the user of the service');
  }
  if (!held) {
    if (!holder) return ok('lock', 'free: no service runs');
    return ok('lock', `free; ${who} ended without taking its name away`);
  }
  if (hangs) {
    const remedy = 'It hangs, or has too much to do: see its log, and start it again if it stays so';
    return bad(
      'lock',
      `${who} holds the lock, but does not answer`,
      remedy,
      socketProblem === undefined ? [] : [socketProblem],
    );
  }
  if (socketProblem !== undefined) {
    return warning('lock', `held by ${who}; ${socketProblem}`, 'Run this as the user of the service');
  }
  if (holder?.host === hostname() && !isAlive(holder.pid)) {
    const seen = `held, but ${who} is not alive: another process has it, perhaps in a container`;
    return warning('lock', seen, 'Find it with lsof or fuser on the lock file');
  }
  if (status) return ok('lock', `held by ${who}, which answers on its control socket`);
  const remedy = 'Commands that change the database need it to be stopped; its log says why it has no control socket';
  return warning('lock', `held by ${who}, which has no control socket`, remedy);
}
