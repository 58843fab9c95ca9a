/** A page of the list: plans walked to the page's rows, then those rows rendered. */
import type { ListFilter, ListPage, ListPause, ListTask, Position, RowId, Walk } from '../protocol.ts';
import { arrayOf, behind, inOrder, PLACE, placeOf } from './place.ts';
import { FEW, fewPlan, plansOf } from './plan.ts';
import { wellFormed } from './render.ts';
import type { Statements } from './statements.ts';
import { advance, type Inside, startOf } from './walk.ts';

/** A list that takes longer waits behind others and goes on. */
const SLICE_MS = 50;
/** Rows rendered before the gate is let go: few until their size is known, then as many as fit into the bytes. */
const FIRST_ROWS = 10;
const RENDERED_ROWS = 100;
const RENDERED_BYTES = 2 * 1024 * 1024;
/** A page ends early, with a cursor, once it is this large. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Rows to merge from each of several plans at most; a page below is walked as one. */
const MERGED_ROWS = 5_000;

/** Rows of few that are looked up before the gate is let go. */
const LOOKED_UP_ROWS = 200;

const LOOK_UP = `SELECT ${PLACE}
  FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN agent_runs ON agent_runs.id = wanted`;

const CHOSEN = 'FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN agent_runs ON agent_runs.id = wanted';
/** @returns the page, or where the walk stands when its slice of time is up */
export function list(db: Statements, task: ListTask, inside: Inside): ListPage | ListPause {
  const { filter, limit, offset, after } = task;
  const few = task.resume ? undefined : fewOf(db, filter, after, inside);
  if (few) return page(db, few.slice(offset, offset + limit + 1), limit, inside);
  const plans = plansOf(filter, offset + limit <= MERGED_ROWS);
  const merged = plans.length > 1;
  const wanted = merged ? offset + limit + 1 : limit + 1;
  const walks = task.resume ?? plans.map((plan) => startOf(plan, merged ? 0 : offset, after));
  const deadline = performance.now() + (task.sliceMs ?? SLICE_MS);
  const expired = (): boolean => performance.now() > deadline;
  for (const [index, plan] of plans.entries()) {
    if (!advance(db, plan, walks[index] as Walk, wanted, inside, expired)) return { pause: walks };
  }
  const rows = merged
    ? inside(() =>
        inOrder(
          db,
          walks.flatMap(({ found }) => found),
        ),
      ).slice(offset, offset + limit + 1)
    : (walks[0] as Walk).found;
  return page(db, rows, limit, inside);
}

function fewOf(
  db: Statements,
  filter: ListFilter,
  after: Position | undefined,
  inside: Inside,
): Position[] | undefined {
  const plan = fewPlan(filter);
  if (!plan) return undefined;
  const { index, within, all } = plan;
  const ids = inside(() =>
    db
      .raw(`SELECT ${PLACE} FROM agent_runs INDEXED BY ${index} WHERE ${within.sql} LIMIT ${FEW + 1}`)
      .all(...within.values),
  ) as [unknown, RowId][];
  if (ids.length > FEW) return undefined;
  const found: Position[] = [];
  const rest = after ? behind(after) : { sql: '', values: [] };
  // Rows lie scattered, and may not be in memory: some at a time, so that the gate is not held long.
  for (let from = 0; from < ids.length; from += LOOKED_UP_ROWS) {
    const some = arrayOf(ids.slice(from, from + LOOKED_UP_ROWS).map(placeOf));
    const values = [some, ...all.values, ...rest.values];
    const rows = inside(() => db.raw(`${LOOK_UP} WHERE ${all.sql}${rest.sql}`).all(...values)) as [unknown, RowId][];
    found.push(...rows.map(placeOf));
  }
  return inside(() => inOrder(db, found));
}

/** @param rows the page's, and one more where more follow */
function page(db: Statements, rows: Position[], limit: number, inside: Inside): ListPage {
  const wanted = rows.slice(0, limit);
  const parts: Buffer[] = [];
  let size = 2;
  let count = 0;
  while (count < wanted.length && size < MAX_BODY_BYTES) {
    const fitting = count === 0 ? FIRST_ROWS : Math.floor((RENDERED_BYTES * count) / size);
    const some = wanted.slice(count, count + Math.max(1, Math.min(RENDERED_ROWS, fitting)));
    const [part] = inside(() => db.rendering('group_concat', CHOSEN).get(arrayOf(some))) as [Buffer | null];
    count += some.length;
    // Nothing, where retention took the rows between the two reads.
    if (part)
      size += parts.push(wellFormed(part)) === 1 ? (parts.at(-1)?.length ?? 0) : (parts.at(-1)?.length ?? 0) + 1;
  }
  const next = count < rows.length ? (wanted[count - 1] ?? null) : null;
  return { body: join(parts, size), count, next };
}

function join(parts: Buffer[], size: number): Uint8Array {
  const body = new Uint8Array(size);
  body[0] = 0x5b; // [
  let at = 1;
  for (const [index, part] of parts.entries()) {
    if (index > 0) body[at++] = 0x2c; // ,
    body.set(part, at);
    at += part.length;
  }
  body[at] = 0x5d; // ]
  return body;
}
