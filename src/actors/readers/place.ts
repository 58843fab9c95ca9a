/** A row's place in a list as two values that cross threads and go into a cursor, whatever another program has stored. */
import { ROW_ID } from '../database.ts';
import type { Position, RowId } from '../protocol.ts';
import type { Condition } from './plan.ts';
import type { Statements } from './statements.ts';

/** A created_at of ours has 32 bytes. */
const MAX_BYTES = 64;

/** SQL: the columns of a place. */
export const PLACE = `iif(octet_length(created_at) <= ${MAX_BYTES}, created_at, ''), ${ROW_ID}`;

/** JavaScript and SQLite have one order for these; the others are told by their row. */
const PLAIN = /^[ -~]+$/;

export const placeOf = ([created_at, id]: [unknown, RowId]): Position => ({
  created_at: typeof created_at === 'string' && PLAIN.test(created_at) ? created_at : '',
  id,
});

/** SQL: the created_at of a place; null, which compares with nothing, where it is told by a row that has gone. */
export const timeOf = ({ created_at, id }: Position): Condition =>
  created_at === ''
    ? { sql: '(SELECT created_at FROM agent_runs WHERE id = ?)', values: [id] }
    : { sql: '?', values: [created_at] };

/** SQL: what comes behind a place. */
export function behind(place: Position): Condition {
  const { sql, values } = timeOf(place);
  return {
    sql: ` AND (created_at < ${sql} OR (created_at = ${sql} AND id > ?))`,
    values: [...values, ...values, place.id],
  };
}

const before = (a: Position, b: Position): number =>
  a.created_at === b.created_at ? compareIds(a.id, b.id) : a.created_at < b.created_at ? 1 : -1;

function compareIds(a: RowId, b: RowId): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return BigInt(a) < BigInt(b) ? -1 : 1;
}

/** Ids as a JSON array. */
export const arrayOf = (places: readonly Position[]): string => `[${places.map(({ id }) => id).join()}]`;

const SORT = `SELECT ${PLACE} FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN agent_runs ON agent_runs.id = wanted
  ORDER BY created_at DESC, id`;

/** Sorts places into the order of lists; SQLite does where one of them is told by its row. */
export function inOrder(db: Statements, places: Position[]): Position[] {
  if (!places.some(({ created_at }) => created_at === '')) return places.sort(before);
  return (db.raw(SORT).all(arrayOf(places)) as [unknown, RowId][]).map(placeOf);
}
