/** The queries but the list; each one visit inside the gate. */
import type { Metadata, Queries, Totals } from '../protocol.ts';
import { RUN_JSON } from './render.ts';
import type { Statements } from './statements.ts';
import type { Inside } from './walk.ts';

type Source = Queries['source']['result'];

/** The run as JSON bytes, or null. */
export function run(db: Statements, eventId: string, inside: Inside): Uint8Array | null {
  const row = inside(() => db.raw(`SELECT CAST(${RUN_JSON} AS BLOB) FROM agent_runs WHERE event_id = ?`).get(eventId));
  return row ? new Uint8Array((row as [Buffer])[0]) : null;
}

export function source(db: Statements, eventId: string, inside: Inside): Source {
  const row = inside(() => db.raw('SELECT git_repo, git_commit_hash FROM agent_runs WHERE event_id = ?').get(eventId));
  if (!row) return null;
  const [git_repo, git_commit_hash] = row as [string | null, string | null];
  return { git_repo, git_commit_hash };
}

export function metadata(db: Statements, inside: Inside): Metadata {
  const names = (column: string): string[] =>
    (db.raw(`SELECT DISTINCT ${column} FROM rollup_runs ORDER BY 1`).all() as [string][]).map(([name]) => name);
  return inside(() => ({ agent_names: names('agent_name'), job_types: names('job_type') }));
}

/**
 * @param since canonical timestamp from which runs are recent: whole hours by the rollup, the first by the index
 */
export function metrics(db: Statements, since: string, inside: Inside): Totals {
  const hour = since.slice(0, 13);
  return inside(() => {
    const agents = db
      .raw('SELECT agent_name, sum(runs) FROM rollup_runs GROUP BY 1 ORDER BY 2 DESC, 1')
      .all() as Totals['agents'];
    const [whole] = db.raw('SELECT coalesce(sum(runs), 0) FROM rollup_hours WHERE hour > ?').get(hour) as [number];
    const [edge] = db
      .raw('SELECT count(*) FROM agent_runs WHERE created_at >= ? AND created_at < ?')
      .get(since, `${hour}~`) as [number];
    return { total_runs: agents.reduce((sum, [, runs]) => sum + runs, 0), agents, recent: whole + edge };
  });
}
