/** What the rollups know by name: agents, job types, and how many runs each agent has; a stretch of names at a time. */
import type { Metadata, MetadataPage, Totals } from '../protocol.ts';
import type { Statements } from './statements.ts';
import type { Inside } from './walk.ts';

type Column = 'agent_name' | 'job_type';

/** Names that one answer holds at most, of each sort. */
export const MAX_NAMES = 10_000;
/** Names looked at in one visit to the gate. */
const STRETCH = 20_000;
/** A longer name, or one that is no text, is of another program or an earlier release: its runs count, it is not even loaded. */
const MAX_BYTES = 512;
export const sound = (column: string): string =>
  `typeof(${column}) = 'text' AND octet_length(${column}) <= ${MAX_BYTES}`;

/** SQL expression: the runs of a rollup's row, whatever another program has written there. The sum of all stays an integer. */
export const RUNS = "iif(typeof(runs) = 'integer' AND runs BETWEEN 0 AND 1000000000000, runs, 0)";

/** A page of the names, in order; one visit, unless there are more names than are counted in one. */
export function metadata(db: Statements, page: MetadataPage, inside: Inside): Metadata {
  const { limit = MAX_NAMES, agentsAfter = '', jobsAfter = '' } = page;
  const names = (column: Column, after: string): string[] => {
    const select = `SELECT DISTINCT ${column} FROM rollup_runs WHERE ${column} > ? AND ${sound(column)} ORDER BY 1 LIMIT ?`;
    return (db.raw(select).all(after, limit + 1) as [string][]).map(([name]) => name);
  };
  const { agents, jobs, agentCount, jobCount } = inside(() => ({
    agents: names('agent_name', agentsAfter),
    jobs: names('job_type', jobsAfter),
    agentCount: countStretch(db, 'agent_name', ''),
    jobCount: countStretch(db, 'job_type', ''),
  }));
  const more = agents.length > limit || jobs.length > limit;
  agents.length = Math.min(agents.length, limit);
  jobs.length = Math.min(jobs.length, limit);
  const counts = {
    agent_names: countOn(db, 'agent_name', agentCount, inside),
    job_types: countOn(db, 'job_type', jobCount, inside),
  };
  const next = more ? { agentsAfter: agents.at(-1) ?? agentsAfter, jobsAfter: jobs.at(-1) ?? jobsAfter } : null;
  return { agent_names: agents, job_types: jobs, counts, next };
}

/** Names that were counted, and the last of them; null where none follow. */
type Counted = [names: number, last: unknown];

function countStretch(db: Statements, column: Column, after: unknown): Counted {
  const stretch = `SELECT count(*), max(name) FROM
    (SELECT DISTINCT ${column} AS name FROM rollup_runs WHERE ${column} > ? AND ${sound(column)} ORDER BY 1 LIMIT ${STRETCH})`;
  const [names, last] = db.raw(stretch).get(after) as Counted;
  return [names, names < STRETCH ? null : last];
}

/** How many names there are. @param first what was counted already */
function countOn(db: Statements, column: Column, first: Counted, inside: Inside): number {
  let [total, after] = first;
  while (after !== null) {
    const [names, last] = inside(() => countStretch(db, column, after));
    total += names;
    after = last;
  }
  return total;
}

type AgentTotals = Pick<Totals, 'total_runs' | 'agents' | 'others'>;

/**
 * The agents with most runs, and how many others there are; of one moment, unless there are more than one visit reads.
 *
 * @param also read in the same visit
 */
export function agentsOf<T>(db: Statements, inside: Inside, also: () => T): AgentTotals & { also: T } {
  const stretch = db.raw(`SELECT agent_name, sum(${RUNS}) FROM rollup_runs
    WHERE agent_name > ? AND ${sound('agent_name')} GROUP BY 1 ORDER BY 1 LIMIT ${STRETCH}`);
  const rowsBehind = (after: string): Totals['agents'] => stretch.all(after) as Totals['agents'];
  const first = inside(() => ({
    rows: rowsBehind(''),
    total: (db.raw(`SELECT coalesce(sum(${RUNS}), 0) FROM rollup_runs`).get() as [number])[0],
    counted: countStretch(db, 'agent_name', ''),
    also: also(),
  }));
  const most: Totals['agents'] = [];
  for (let rows = first.rows; ;) {
    for (const row of rows) most.push(row);
    keepMost(most);
    const last = rows.length < STRETCH ? undefined : rows.at(-1)?.[0];
    if (last === undefined) break;
    rows = inside(() => rowsBehind(last));
  }
  const shown = most.reduce((sum, [, runs]) => sum + runs, 0);
  const agents = countOn(db, 'agent_name', first.counted, inside) - most.length;
  const others = { agents: Math.max(0, agents), runs: Math.max(0, first.total - shown) };
  return { total_runs: first.total, agents: most, others, also: first.also };
}

function keepMost(agents: Totals['agents']): void {
  agents.sort(([a, runsOfA], [b, runsOfB]) => runsOfB - runsOfA || (a < b ? -1 : 1));
  agents.length = Math.min(agents.length, MAX_NAMES);
}
