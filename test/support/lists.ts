/** Lists by the book: every row, filtered and sorted in JavaScript. */
import fc from 'fast-check';
import type { Connection } from '../../src/actors/database.ts';
import type { ListFilter, ListPage, ListTask, Position } from '../../src/actors/protocol.ts';
import { list } from '../../src/actors/readers/list.ts';
import type { Statements } from '../../src/actors/readers/statements.ts';
import type { Inside } from '../../src/actors/readers/walk.ts';
import { canonicalTimestamp, STATUSES } from '../../src/run.ts';
import { aRecord } from './database.ts';

export type StoredRun = Record<string, string | number | null> & Position;

export const freely: Inside = (read) => read();

export const storedRuns = (db: Connection): StoredRun[] => db.prepare('SELECT * FROM agent_runs').all() as StoredRun[];

export const inListOrder = (a: Position, b: Position): number =>
  a.created_at === b.created_at ? Number(a.id) - Number(b.id) : a.created_at < b.created_at ? 1 : -1;

function matches(row: StoredRun, filter: ListFilter): boolean {
  const {
    statuses,
    exclude_job_type,
    run_id_contains,
    created_before,
    created_after,
    start_time_from,
    start_time_to,
    ...equal
  } = filter;
  if (Object.entries(equal).some(([name, value]) => row[name] !== value)) return false;
  if (statuses?.length && !statuses.includes(String(row.status))) return false;
  if (exclude_job_type !== undefined && row.job_type === exclude_job_type) return false;
  if (run_id_contains !== undefined && !String(row.run_id).includes(run_id_contains)) return false;
  const [created, started] = [row.created_at, String(row.start_time)];
  if (created_before !== undefined && created >= created_before) return false;
  if (created_after !== undefined && created <= created_after) return false;
  return (
    !(start_time_from !== undefined && started < start_time_from) &&
    !(start_time_to !== undefined && started > start_time_to)
  );
}

/** All rows of a filter in list order, from behind a place on. */
export function expected(rows: readonly StoredRun[], filter: ListFilter, after?: Position): StoredRun[] {
  return rows
    .filter((row) => matches(row, filter) && (after === undefined || inListOrder(row, after) > 0))
    .sort(inListOrder);
}

/** The list's answer; every pause sends the task again with what came back, as across threads. */
export function listed(db: Statements, task: ListTask): { page: ListPage; ids: number[]; pauses: number } {
  let answer = list(db, task, freely);
  let pauses = 0;
  while ('pause' in answer) {
    pauses++;
    answer = list(db, { ...task, resume: structuredClone(answer.pause) }, freely);
  }
  const runs = JSON.parse(Buffer.from(answer.body).toString()) as { id: number }[];
  return { page: answer, ids: runs.map(({ id }) => id), pauses };
}

const TIMES = ['2026-01-10T12:00:00Z', '2026-01-10T12:00:00.000001Z', '2026-01-10T11:00:00Z', '2026-01-09T12:00:00Z'];
const time = fc.constantFrom(...TIMES);
const canonical = time.map((text) => canonicalTimestamp(text) as string);
const POOLS = {
  agent_name: ['a', 'b'],
  job_type: ['i', 'j'],
  run_id: ['r', 'rr', 'R%_'],
  parent_run_id: ['p', 'q'],
  insight_id: ['m', 'n'],
  product: ['x', 'y'],
  website: ['w', 'v'],
  environment: ['e', 'f'],
  git_commit_hash: ['abc1234', 'def5678'],
} as const;

const pools = Object.entries(POOLS);
const required = new Set(['agent_name', 'job_type', 'run_id']);

/** Records with many equal values, times among them, and many nulls. */
export const someRecords: fc.Arbitrary<Record<string, unknown>[]> = fc
  .array(
    fc.record({
      created_at: time,
      start_time: time,
      status: fc.constantFrom(...STATUSES),
      ...Object.fromEntries(
        pools.map(([name, values]): [string, fc.Arbitrary<unknown>] => [
          name,
          required.has(name) ? fc.constantFrom(...values) : fc.constantFrom(null, ...values),
        ]),
      ),
    }),
    { maxLength: 40 },
  )
  .map((records) => records.map((fields) => aRecord(fields)));

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 });
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 11, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Any filter; few of its many members at a time. */
export const anyFilter: fc.Arbitrary<ListFilter> = fc
  .record({
    ...Object.fromEntries(pools.map(([name, values]) => [name, rarely(fc.constantFrom(...values))])),
    statuses: maybe(fc.uniqueArray(fc.constantFrom(...STATUSES), { maxLength: 4 })),
    exclude_job_type: rarely(fc.constantFrom(...POOLS.job_type)),
    run_id_contains: rarely(fc.constantFrom('r', 'R', '%', '_', '')),
    created_before: rarely(canonical),
    created_after: rarely(canonical),
    start_time_from: rarely(canonical),
    start_time_to: rarely(canonical),
  })
  .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)));

export const anyPlace: fc.Arbitrary<Position | undefined> = rarely(
  fc.record({ created_at: canonical, id: fc.nat(45) }),
);
