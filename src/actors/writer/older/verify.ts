/** Whether the new database holds what it was to hold: read anew, by another connection. */
import { TelemetryError } from '../../../errors.ts';
import type { Connection } from '../../database.ts';
import type { Digests } from './build.ts';
import { RUN_COLUMNS } from './copy-runs.ts';
import { Digest } from './digest.ts';
import { Pace, type Progress } from './pace.ts';
import { COMMIT_COLUMNS, EVENT_COLUMNS } from './shape.ts';

/** How many rows each table of the older database had. */
export interface Expected {
  runs: number;
  events: number;
  commits: number;
  digests: Digests;
}

/** The select of each table, in the order in which its rows were written, and whether it holds anything but text and numbers. */
const READS = {
  runs: [`SELECT ${RUN_COLUMNS} FROM agent_runs ORDER BY id`, false],
  originals: ['SELECT id, reasons, original FROM run_originals ORDER BY id', false],
  events: [`SELECT ${EVENT_COLUMNS.join(', ')}, id FROM run_events ORDER BY id`, true],
  commits: [`SELECT ${COMMIT_COLUMNS.join(', ')} FROM commits ORDER BY rowid`, true],
} as const;

/** @throws TelemetryError "internal" where anything differs: a fault of ours, or of the disk */
export function* verify(db: Connection, path: string, expected: Expected): Generator<Progress, void> {
  const check = db.pragma('quick_check(3)', { simple: true });
  if (check !== 'ok') throw different(path, String(check));
  for (const table of ['runs', 'events', 'commits'] as const) {
    const name = table === 'runs' ? 'agent_runs' : table === 'events' ? 'run_events' : 'commits';
    const rows = db.prepare(`SELECT count(*) FROM ${name}`).pluck().get();
    if (rows !== expected[table])
      throw different(path, `${name} has ${String(rows)} rows instead of ${expected[table]}`);
  }
  const pace = new Pace('verify', expected.runs + expected.events + expected.commits);
  yield pace.progress;
  for (const table of Object.keys(READS) as (keyof typeof READS)[]) {
    const digest = yield* digestOf(db, table, pace);
    if (digest !== expected.digests[table]) throw different(path, `the ${table} read back are not those written`);
  }
}

function* digestOf(db: Connection, table: keyof typeof READS, pace: Pace): Generator<Progress, string> {
  const [sql, mixed] = READS[table];
  const digest = new Digest();
  const select = db.prepare(sql).raw().safeIntegers(mixed);
  for (const row of select.iterate() as IterableIterator<unknown[]>) {
    if (mixed) digest.addAny(row);
    else digest.add(row);
    if (pace.step()) yield pace.progress;
  }
  return digest.hex();
}

function different(path: string, what: string): TelemetryError {
  return new TelemetryError(
    'internal',
    `The database made of ${path} is not what it was to be: ${what}. It was thrown away, and the older one not changed. ` +
      'Check the disk and try again; if it happens again, report it.',
  );
}
