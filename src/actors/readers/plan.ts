/**
 * How a list is read: along one index in the list's own order, so that nothing is ever sorted, and
 * always the same one, whatever statistics SQLite has. What the index does not answer is `rest`,
 * tested row by row. Pure.
 */
import type { ListFilter, ListTask } from '../protocol.ts';

export interface Condition {
  sql: string;
  values: (string | number)[];
}

export interface Plan {
  /** The index walked; each ends in created_at DESC. */
  index: string;
  /** Equalities on the columns before created_at. */
  fixed: Condition;
  /** Bounds of created_at: above, below, both exclusive; undefined where open. */
  above: string | undefined;
  below: string | undefined;
  /** All other filters; empty sql where there are none. */
  rest: Condition;
}

type Key = 'run_id' | 'parent_run_id' | 'insight_id' | 'agent_name' | 'website' | 'job_type';

// The more a column tells runs apart, the earlier it is chosen.
const INDEXES: readonly [Key, string][] = [
  ['run_id', 'idx_runs_run_id'],
  ['parent_run_id', 'idx_runs_parent'],
  ['insight_id', 'idx_runs_insight'],
  ['agent_name', 'idx_runs_agent_created'],
  ['website', 'idx_runs_website'],
  ['job_type', 'idx_runs_job_type'],
];

/** A longer value, which a foreign program may have stored, is not loaded to be compared: it is none that anyone asks for. */
const COMPARED_BYTES = 1_048_576;
const short = (column: string, sql: string): string => `octet_length(${column}) < ${COMPARED_BYTES} AND ${sql}`;
const equal = (column: keyof ListFilter): [keyof ListFilter, string] => [column, short(column, `${column} = ?`)];

const RESIDUAL: readonly [keyof ListFilter, string][] = [
  equal('run_id'),
  equal('git_commit_hash'),
  equal('parent_run_id'),
  equal('insight_id'),
  equal('agent_name'),
  equal('website'),
  equal('job_type'),
  ['exclude_job_type', `(octet_length(job_type) >= ${COMPARED_BYTES} OR job_type <> ?)`],
  ['run_id_contains', short('run_id', 'instr(run_id, ?) > 0')],
  equal('product'),
  equal('environment'),
  ['start_time_from', short('start_time', 'start_time >= ?')],
  ['start_time_to', short('start_time', 'start_time <= ?')],
];

/**
 * The plan of a list; for several statuses, one a status where an index has each of them in order,
 * to be merged.
 *
 * @param mergeable whether the page lies near enough to the top for every plan to be walked to its end
 */
export function plansOf(filter: ListFilter, mergeable: boolean): Plan[] {
  const statuses = filter.statuses ?? [];
  const key = INDEXES.find(([column]) => filter[column] !== undefined);
  const indexed = key === undefined || key[0] === 'agent_name';
  const byStatus = indexed && (statuses.length === 1 || (statuses.length > 1 && mergeable));
  if (!byStatus) return [plan(filter, key, undefined)];
  return statuses.map((status) => plan(filter, key, status));
}

function plan(filter: ListFilter, key: readonly [Key, string] | undefined, status: string | undefined): Plan {
  const fixed: Condition = { sql: '', values: [] };
  const rest: Condition = { sql: '', values: [] };
  const add = (to: Condition, sql: string, ...values: string[]): void => {
    to.sql += ` AND ${sql}`;
    to.values.push(...values);
  };
  if (key) add(fixed, `${key[0]} = ?`, String(filter[key[0]]));
  if (status !== undefined) add(fixed, 'status = ?', status);
  else if (filter.statuses?.length)
    add(rest, `status IN (${filter.statuses.map(() => '?').join(', ')})`, ...filter.statuses);
  for (const [name, sql] of RESIDUAL) {
    const value = filter[name];
    if (typeof value === 'string' && name !== key?.[0]) add(rest, sql, value);
  }
  const statusIndex = key ? 'idx_runs_agent_status_created' : 'idx_runs_status';
  const index = status === undefined ? (key?.[1] ?? 'idx_runs_created_desc') : statusIndex;
  return { index, fixed, rest, above: filter.created_after, below: filter.created_before };
}

/** More runs than these are not read and sorted: to walk the list is no dearer then, and holds nobody up. */
export const FEW = 2_000;

export interface FewPlan {
  index: string;
  /** What the index answers. */
  within: Condition;
  /** The whole filter. */
  all: Condition;
}

/**
 * Another way for filters that no list index begins with: where few runs lie within, find those by an index without
 * created_at and sort them. That of commits has no created_at because its keys come in no order: each stored run
 * writes a page of it, the more of them, the longer its entries.
 *
 * @returns undefined where the filter has nothing of the kind
 */
export function fewPlan(filter: ListFilter): FewPlan | undefined {
  const found = fewWithin(filter);
  if (!found) return undefined;
  const { rest, fixed, above, below } = plan(filter, undefined, undefined);
  const all: Condition = {
    sql: `${found.within.sql}${fixed.sql}${rest.sql}`,
    values: [...found.within.values, ...fixed.values, ...rest.values],
  };
  for (const [bound, sql] of [
    [above, 'created_at > ?'],
    [below, 'created_at < ?'],
  ] as const) {
    if (bound === undefined) continue;
    all.sql += ` AND ${sql}`;
    all.values.push(bound);
  }
  return { ...found, all };
}

function fewWithin(filter: ListFilter): Omit<FewPlan, 'all'> | undefined {
  const { git_commit_hash, start_time_from, start_time_to } = filter;
  if (git_commit_hash !== undefined)
    return { index: 'idx_runs_commit', within: { sql: 'git_commit_hash = ?', values: [git_commit_hash] } };
  if (start_time_from === undefined && start_time_to === undefined) return undefined;
  // Bytes, which a foreign program may have bound, come behind all text.
  const to = start_time_to === undefined ? "start_time <= x'ff'" : 'start_time <= ?';
  const values = [start_time_from ?? '', ...(start_time_to === undefined ? [] : [start_time_to])];
  return { index: 'idx_runs_start', within: { sql: `start_time >= ? AND ${to}`, values } };
}

/** Index entries that pass by in no time. */
const SHORT_OFFSET = 100_000;

/** Whether a list may walk far: rows to be tested one by one, or a place deep below. Those of a commit are few. */
export function walksLong({ filter, offset }: ListTask): boolean {
  if (filter.git_commit_hash !== undefined) return false;
  return offset > SHORT_OFFSET || plansOf(filter, true).some(({ rest }) => rest.sql !== '');
}
