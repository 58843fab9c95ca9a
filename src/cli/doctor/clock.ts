/** Whether times can be believed: lists are ordered by them, and the newest word wins. */
import { schemaVersion } from '../../offline/version.ts';
import type { Check } from '../../offline/check.ts';
import { SCHEMA_VERSION } from '../../run.ts';
import { valueOf } from '../answer.ts';
import type { Look } from './look.ts';
import { checkOf, type Part } from './parts.ts';

const AHEAD_MS = 5 * 60_000;
const APART_MS = 5_000;

export async function checkClock(look: Look, now = Date.now()): Promise<Check> {
  const time = new Date(now).toISOString();
  const parts: Part[] = [];
  const year = new Date(now).getUTCFullYear();
  if (year < 2025 || year > 2100) {
    parts.push({
      state: 'bad',
      line: `it is ${time}, which cannot be`,
      remedy: 'Set the clock of this machine, by NTP',
    });
  }
  const newest = await newestRun(look);
  if (newest !== undefined && Date.parse(newest) > now + AHEAD_MS) {
    const line = `the newest run was made at ${newest}, and it is ${time}`;
    parts.push({ state: 'warning', line, remedy: 'Set the clock of this machine, or of the agents, by NTP' });
  }
  const apart = look.status ? Math.abs(Date.parse(look.status.time) - now) : 0;
  if (apart > APART_MS) {
    const line = `the clock of the service is ${Math.round(apart / 1000)} s apart from this one`;
    parts.push({ state: 'warning', line, remedy: 'Look at the clocks of this machine and of its containers' });
  }
  return checkOf('clock', parts, time);
}

/** When the newest run was made; undefined where there is none, or it cannot be asked. */
async function newestRun({ service, db }: Look): Promise<string | undefined> {
  if (service) {
    const answer = await service.request('GET', '/api/v1/runs?limit=1');
    return valueOf<{ created_at: string }[]>(answer, service.where)[0]?.created_at;
  }
  if (!db || schemaVersion(db) !== SCHEMA_VERSION) return undefined;
  return (db.prepare('SELECT max(created_at) FROM agent_runs').pluck().get() as string | null) ?? undefined;
}
