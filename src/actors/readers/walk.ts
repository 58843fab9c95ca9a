/**
 * Walks one plan in list order (created_at descending, id ascending), a stretch at a time, and lets
 * go of the gate between stretches. A stretch is either the rows of one created_at ("tie") or those
 * below it, so that a place in the list is two values, and equal times cost nothing extra.
 */
import type { Position, Walk } from '../protocol.ts';
import type { Plan } from './plan.ts';
import type { Statements } from './statements.ts';

/** Above every canonical timestamp. */
const END_OF_TIME = '~';

/** Rows looked at in one stretch when each must be tested; index entries hopped over in one. */
const TESTED_ROWS = 4_000;
const HOPPED_ENTRIES = 50_000;

/** Runs one statement's worth of reading inside the gate. */
export type Inside = <T>(read: () => T) => T;

export function startOf(plan: Plan, offset: number, after: Position | undefined): Walk {
  const top = plan.below ?? END_OF_TIME;
  if (!after || after.created_at >= top) return { created_at: top, skip: offset, found: [] };
  // A place at or below the list's end: nothing follows it.
  if (plan.above !== undefined && after.created_at <= plan.above)
    return { created_at: plan.above, skip: offset, found: [] };
  return { created_at: after.created_at, tie: after.id, skip: offset, found: [] };
}

/** @returns whether the walk has `wanted` rows or has come to the list's end; false when `expired` says stop */
export function advance(
  db: Statements,
  plan: Plan,
  walk: Walk,
  wanted: number,
  inside: Inside,
  expired: () => boolean,
): boolean {
  const tested = plan.rest.sql !== '';
  while (!walk.ended && walk.found.length < wanted) {
    const ended = inside(() => (tested ? testStretch(db, plan, walk, wanted) : followIndex(db, plan, walk, wanted)));
    if (ended) walk.ended = true;
    else if (walk.found.length < wanted && expired()) return false;
  }
  return true;
}

/** One stretch where the index answers everything. @returns whether the list has ended */
function followIndex(db: Statements, plan: Plan, walk: Walk, wanted: number): boolean {
  if (walk.skip > HOPPED_ENTRIES) return hop(db, plan, walk, HOPPED_ENTRIES);
  const need = wanted - walk.found.length;
  const rows = select(db, plan, walk, '', [], need, walk.skip);
  if (rows.length === 0 && walk.skip > 0) return hop(db, plan, walk, walk.skip);
  for (const row of rows) walk.found.push(row);
  walk.skip = 0;
  return rows.length < need && leaveTie(walk);
}

/** Passes over `count` entries of the index, or over the rest of a tie. */
function hop(db: Statements, plan: Plan, walk: Walk, count: number): boolean {
  const [last] = select(db, plan, walk, '', [], 1, count - 1);
  if (last) {
    walk.skip -= count;
    walk.created_at = last.created_at;
    walk.tie = last.id;
    return false;
  }
  if (walk.tie === undefined) return true;
  walk.skip -= tally(db, plan, walk, '', []);
  return leaveTie(walk);
}

/** One stretch whose rows must be tested: its end is found in the index first, which bounds the work. */
function testStretch(db: Statements, plan: Plan, walk: Walk, wanted: number): boolean {
  const [end] = select(db, plan, walk, '', [], 1, TESTED_ROWS);
  const inTie = walk.tie !== undefined;
  // Below a time, a stretch ends above the first created_at it does not reach, so no tie is split.
  // It takes the place of the plan's own bound: SQLite seeks by one lower bound and would test the other row by row.
  const stretch = end && !inTie ? { ...plan, above: end.created_at } : plan;
  const sql = (end && inTie ? ' AND id <= ?' : '') + plan.rest.sql;
  const values = [...(end && inTie ? [end.id] : []), ...plan.rest.values];
  const passed = walk.skip > 0 ? tally(db, stretch, walk, sql, values) : 0;
  if (walk.skip > 0 && passed <= walk.skip) {
    walk.skip -= passed;
  } else {
    const need = wanted - walk.found.length;
    const rows = select(db, stretch, walk, sql, values, need, walk.skip);
    walk.skip = 0;
    for (const row of rows) walk.found.push(row);
  }
  if (!end) return leaveTie(walk);
  if (!inTie) walk.created_at = end.created_at;
  walk.tie = inTie ? end.id : 0;
  return false;
}

/** From a tie's end to what lies below it. @returns true where there was no tie: the list has ended */
function leaveTie(walk: Walk): boolean {
  if (walk.tie === undefined) return true;
  walk.tie = undefined;
  return false;
}

type Values = (string | number)[];

function range(plan: Plan, walk: Walk): { sql: string; values: Values } {
  const from = `FROM agent_runs INDEXED BY ${plan.index} WHERE created_at`;
  if (walk.tie !== undefined) {
    return {
      sql: `${from} = ? AND id > ?${plan.fixed.sql}`,
      values: [walk.created_at, walk.tie, ...plan.fixed.values],
    };
  }
  const above = plan.above === undefined ? [] : [plan.above];
  const bound = above.length > 0 ? ' AND created_at > ?' : '';
  return { sql: `${from} < ?${bound}${plan.fixed.sql}`, values: [walk.created_at, ...above, ...plan.fixed.values] };
}

function select(
  db: Statements,
  plan: Plan,
  walk: Walk,
  more: string,
  values: Values,
  limit: number,
  offset: number,
): Position[] {
  const from = range(plan, walk);
  const statement = db.raw(`SELECT created_at, id ${from.sql}${more} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`);
  const rows = statement.all(...from.values, ...values, limit, offset) as [string, number][];
  return rows.map(([created_at, id]) => ({ created_at, id }));
}

function tally(db: Statements, plan: Plan, walk: Walk, more: string, values: Values): number {
  const from = range(plan, walk);
  const [count] = db.raw(`SELECT count(*) ${from.sql}${more}`).get(...from.values, ...values) as [number];
  return count;
}
