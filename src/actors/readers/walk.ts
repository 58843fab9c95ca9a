/**
 * Walks one plan in list order (created_at descending, id ascending), a stretch at a time, and lets
 * go of the gate between stretches. A stretch is either the rows of one created_at ("tie") or those
 * below it, so that a place in the list is two values, and equal times cost nothing extra.
 */
import type { Position, RowId, Walk } from '../protocol.ts';
import type { Condition, Plan } from './plan.ts';
import { PLACE, placeOf, timeOf } from './place.ts';
import type { Statements } from './statements.ts';

/** Below every id, those of foreign programs included. */
const BELOW_ALL = -1e19;

/** Rows looked at in one stretch when each must be tested; index entries hopped over in one. */
const TESTED_ROWS = 4_000;
const HOPPED_ENTRIES = 50_000;

/** Runs one statement's worth of reading inside the gate. */
export type Inside = <T>(read: () => T) => T;

export function startOf(plan: Plan, offset: number, after: Position | undefined): Walk {
  const { above, below } = plan;
  const top: Walk = { ...(below !== undefined && { created_at: below }), skip: offset, found: [] };
  if (!after) return top;
  const { created_at, id } = after;
  // What is told by its row only is compared by SQLite.
  if (created_at !== '' && below !== undefined && created_at >= below) return top;
  // A place at or below the list's end: nothing follows it.
  if (created_at !== '' && above !== undefined && created_at <= above)
    return { created_at: above, skip: offset, found: [], ended: true };
  return { created_at, row: id, tie: id, skip: offset, found: [] };
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
    goTo(walk, last);
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
  const stretch = end && !inTie ? { ...plan, above: undefined, end } : plan;
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
  if (!inTie) goTo(walk, end);
  walk.tie = inTie ? end.id : BELOW_ALL;
  return false;
}

/** From a tie's end to what lies below it. @returns true where there was no tie: the list has ended */
function leaveTie(walk: Walk): boolean {
  if (walk.tie === undefined) return true;
  walk.tie = undefined;
  return false;
}

function goTo(walk: Walk, { created_at, id }: Position): void {
  walk.created_at = created_at;
  walk.row = id;
}

type Values = (string | number)[];

/** A plan's rows that come next. @param end above whose created_at a stretch ends */
function range(plan: Plan & { end?: Position }, walk: Walk): Condition {
  const all: Condition = { sql: `FROM agent_runs INDEXED BY ${plan.index} WHERE `, values: [] };
  const conditions: string[] = [];
  const add = (sql: string, ...values: Values): void => {
    conditions.push(sql);
    all.values.push(...values);
  };
  const { created_at, row = 0, tie } = walk;
  if (created_at !== undefined) {
    const time = timeOf({ created_at, id: row });
    add(`created_at ${tie === undefined ? '<' : '='} ${time.sql}`, ...time.values);
  }
  if (tie !== undefined) add('id > ?', tie);
  // Where a place is told by its row, nobody knows on which side of the bounds that lies.
  if (created_at === '' && plan.below !== undefined) add('created_at < ?', plan.below);
  const lower = plan.end ? timeOf(plan.end) : undefined;
  if (lower) add(`created_at > ${lower.sql}`, ...lower.values);
  else if (plan.above !== undefined && (tie === undefined || created_at === '')) add('created_at > ?', plan.above);
  // Every row, for the index to be searched.
  else if (created_at === undefined) add("created_at >= ''");
  all.sql += conditions.join(' AND ') + plan.fixed.sql;
  all.values.push(...plan.fixed.values);
  return all;
}

function select(
  db: Statements,
  plan: Plan & { end?: Position },
  walk: Walk,
  more: string,
  values: Values,
  limit: number,
  offset: number,
): Position[] {
  const from = range(plan, walk);
  const statement = db.raw(`SELECT ${PLACE} ${from.sql}${more} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`);
  return (statement.all(...from.values, ...values, limit, offset) as [unknown, RowId][]).map(placeOf);
}

function tally(db: Statements, plan: Plan & { end?: Position }, walk: Walk, more: string, values: Values): number {
  const from = range(plan, walk);
  const [count] = db.raw(`SELECT count(*) ${from.sql}${more}`).get(...from.values, ...values) as [number];
  return count;
}
