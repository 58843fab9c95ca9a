/**
 * What each index serves: finding the first page of the list that walks it, with the index and without. To make the page's
 * JSON costs the same either way, and is left out.
 */
import type { Connection } from '../src/actors/database.ts';
import type { ListFilter } from '../src/actors/protocol.ts';
import { plansOf, fewPlan } from '../src/actors/readers/plan.ts';
import { median } from './support.ts';

/** One list, in milliseconds. */
export interface Use {
  /** What is listed: the value that the fewest runs have, or the most. */
  which: 'rare' | 'common' | 'oldest' | 'newest' | 'all';
  withIt: number;
  without: number;
}

/** Rows of a page. */
export const PAGE = 100;
/** A list is timed so often, and begun no later than this. */
const REPEATS = 25;
const REPEATED_MS = 250;
const END_OF_TIME = '~';

/** The columns before created_at in an index, by which its list is asked for. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  idx_runs_agent_status_created: ['agent_name', 'status'],
  idx_runs_agent_created: ['agent_name'],
  idx_runs_status: ['status'],
  idx_runs_job_type: ['job_type'],
  idx_runs_run_id: ['run_id'],
  idx_runs_insight: ['insight_id'],
  idx_runs_parent: ['parent_run_id'],
  idx_runs_commit: ['git_commit_hash'],
  idx_runs_website: ['website'],
};

type Asked = [which: Use['which'], filter: ListFilter];

function listsOf(db: Connection, index: string): Asked[] {
  if (index === 'idx_runs_created_desc') return [['all', {}]];
  if (index === 'idx_runs_start') {
    const end = (order: string): string =>
      `SELECT start_time FROM agent_runs ORDER BY start_time ${order} LIMIT 1 OFFSET ${PAGE}`;
    const [oldest, newest] = ['ASC', 'DESC'].map((order) => db.prepare(end(order)).pluck().get() as string);
    return [
      ['oldest', { start_time_to: oldest as string }],
      ['newest', { start_time_from: newest as string }],
    ];
  }
  const columns = KEYS[index];
  if (!columns) throw new Error(`Nothing is known to use ${index}: add its columns here`);
  const names = columns.join(', ');
  const filter = (order: string): ListFilter => {
    const sql = `SELECT ${names} FROM agent_runs WHERE ${columns[0]} IS NOT NULL GROUP BY ${names} ORDER BY count(*) ${order} LIMIT 1`;
    const { status, ...rest } = db.prepare(sql).get() as Record<string, string>;
    return status === undefined ? rest : { ...rest, statuses: [status] };
  };
  return [
    ['rare', filter('ASC')],
    ['common', filter('DESC')],
  ];
}

/** The statement that finds a list's first page, and its parameters. */
function finderOf(filter: ListFilter, index: string | undefined): [string, string[]] {
  const indexedBy = index === undefined ? '' : ` INDEXED BY ${index}`;
  const select = `SELECT created_at, id FROM agent_runs${indexedBy} WHERE`;
  const order = `ORDER BY created_at DESC, id LIMIT ${PAGE + 1}`;
  const started = fewPlan(filter);
  if (started) return [`${select} ${started.all.sql} ${order}`, started.all.values.map(String)];
  const [plan] = plansOf(filter, true);
  if (!plan || (index !== undefined && plan.index !== index)) throw new Error(`The list does not walk ${index}`);
  return [`${select} created_at < ?${plan.fixed.sql} ${order}`, [END_OF_TIME, ...plan.fixed.values.map(String)]];
}

function timed(db: Connection, [sql, values]: [string, string[]]): number {
  const statement = db.prepare(sql).raw();
  const times: number[] = [];
  const until = performance.now() + REPEATED_MS;
  // The first fills the page cache, and does not count.
  for (let repeat = 0; repeat <= REPEATS && (repeat < 2 || performance.now() < until); repeat++) {
    const started = performance.now();
    statement.all(...values);
    if (repeat > 0) times.push(performance.now() - started);
  }
  return median(times);
}

/** Times the lists of an index. The database is as before afterwards. */
export function usesOf(db: Connection, index: string): Use[] {
  const asked = listsOf(db, index);
  const withIt = asked.map(([, filter]) => timed(db, finderOf(filter, index)));
  db.exec(`BEGIN; DROP INDEX ${index}`);
  try {
    return asked.map(([which, filter], list) => ({
      which,
      withIt: withIt[list] as number,
      without: timed(db, finderOf(filter, undefined)),
    }));
  } finally {
    db.exec('ROLLBACK');
  }
}
