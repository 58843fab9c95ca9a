/** The queries but the list; each one visit inside the gate. */
import type { Queries, RunSeries, Series, SpoolPosition, Totals } from '../protocol.ts';
import { agentsOf, RUNS, sound } from './names.ts';
import { COMMIT_URL, REPO_URL, wellFormed } from './render.ts';
import type { Statements } from './statements.ts';
import type { Inside } from './walk.ts';

type Source = Queries['source']['result'];

/** The run as JSON bytes, or null. */
export function run(db: Statements, eventId: string, inside: Inside): Uint8Array | null {
  const row = inside(() => db.rendering('', 'FROM agent_runs WHERE event_id = ?').get(eventId));
  return row ? new Uint8Array(wellFormed((row as [Buffer])[0])) : null;
}

const SOURCE = `SELECT ${REPO_URL}, ${COMMIT_URL} FROM agent_runs WHERE event_id = ?`;

export function source(db: Statements, eventId: string, inside: Inside): Source {
  const row = inside(() => db.raw(SOURCE).get(eventId));
  if (!row) return null;
  const [repo_url, commit_url] = row as [string | null, string | null];
  return { repo_url, commit_url };
}

/** How far each spool file has been stored; there are as many as files in the spool. */
export function positions(db: Statements, inside: Inside): SpoolPosition[] {
  const rows = inside(() => db.raw('SELECT name, inode, position, CAST(digest AS TEXT) FROM spool_files').all());
  return (rows as [string, string, number, string | null][]).map(([name, inode, position, digest]) => {
    return { name, inode, position, digest };
  });
}

/** Index entries counted in one visit to the gate. */
const COUNTED_ENTRIES = 50_000;

/**
 * @param since canonical timestamp from which runs are recent: whole hours by the rollup, the first by the index
 */
export function metrics(db: Statements, since: string, inside: Inside): Totals {
  const hour = since.slice(0, 13);
  const edge = countCreated(db, since, `${hour}~`, inside);
  const whole = `SELECT coalesce(sum(${RUNS}), 0) FROM rollup_hours WHERE hour > ?`;
  const { also: recent, ...totals } = agentsOf(db, inside, () => (db.raw(whole).get(hour) as [number])[0] + edge);
  return { ...totals, recent };
}

/** What no label can be made of is summed with the others: it is not even loaded. */
const LABELLED = ['agent_name', 'job_type', 'status'].map(sound).join(' AND ');
const STATUS = `iif(${sound('status')}, status, '')`;

/** @param limit combinations of agent, job type and status told apart */
export function series(db: Statements, limit: number, inside: Inside): RunSeries {
  const seriesOf = (table: string, order: string): Series => {
    const counts = db
      .raw(
        `SELECT agent_name, job_type, status, ${RUNS} AS counted FROM ${table} WHERE counted > 0 AND ${LABELLED} ORDER BY ${order} LIMIT ?`,
      )
      .all(limit) as Series['counts'];
    const all = db.raw(`SELECT ${STATUS}, sum(${RUNS}), count(*) FROM ${table} WHERE ${RUNS} > 0 GROUP BY 1`).all();
    return { counts, others: without(all as Series['others'], counts) };
  };
  // Each in one visit: what is shown and what is not must add up, or the sum of the others would fall.
  const ever = inside(() => seriesOf('rollup_ever', 'id'));
  const stored = inside(() => seriesOf('rollup_runs', 'runs DESC, agent_name, job_type, status'));
  return { ever, stored };
}

/** What is left of all, by status, without those shown: quicker than to sort the rest. */
function without(all: Series['others'], shown: Series['counts']): Series['others'] {
  const others = new Map(all.map(([status, runs, combinations]) => [status, { runs, combinations }]));
  for (const [, , status, runs] of shown) {
    const rest = others.get(status);
    if (!rest) continue;
    rest.runs -= runs;
    rest.combinations--;
  }
  return [...others]
    .filter(([, { combinations }]) => combinations > 0)
    .map(([status, { runs, combinations }]) => [status, runs, combinations]);
}

/** Whether the rollups count every run; they do not while a recount goes on. */
export function counted(db: Statements, inside: Inside): boolean {
  return inside(() => db.raw('SELECT 1 FROM rollup_state WHERE trusted = 1').get()) !== undefined;
}

export function indexes(db: Statements, inside: Inside): string[] {
  const rows = inside(() => db.raw("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1").all());
  return (rows as [string][]).map(([name]) => name);
}

/** How many runs were created before a canonical time. */
export const older = (db: Statements, before: string, inside: Inside): number => countCreated(db, '', before, inside);

/** Counts `from` <= created_at < `to` along the index, a stretch at a time. */
function countCreated(db: Statements, from: string, to: string, inside: Inside): number {
  const range = 'FROM agent_runs INDEXED BY idx_runs_created_desc WHERE created_at >= ? AND created_at < ?';
  const ends = db.raw(`SELECT created_at ${range} ORDER BY created_at LIMIT 1 OFFSET ${COUNTED_ENTRIES}`);
  let total = 0;
  for (let at: string | undefined = from; at !== undefined;) {
    const start: string = at;
    at = inside(() => {
      const [end] = (ends.get(start, to) ?? []) as [string?];
      // So many of one instant are counted at once; behind them comes the next instant.
      const stop = end === start ? `${end} ` : end;
      const [count] = db.raw(`SELECT count(*) ${range}`).get(start, stop ?? to) as [number];
      total += count;
      return stop;
    });
  }
  return total;
}
