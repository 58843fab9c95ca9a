/** Whether every run can be read, as lists read it: what is stored is rendered, and the JSON parsed. */
import { type Connection, ROW_ID } from '../actors/database.ts';
import type { RowId } from '../actors/protocol.ts';
import { defineFunctions, runJson, SHOWN_BYTES, wellFormed } from '../actors/readers/render.ts';
import { describe } from '../errors.ts';
import { SHOWN } from './check.ts';

/** Rows of which the ids are looked up at once, and rows rendered at once. */
const WINDOW = 2_000;
const RENDERED = 20;

export interface Unreadable {
  unreadable: number;
  /** The first of them, each with why. */
  first: string[];
}

/** @param onWindow told how many runs have been read */
export function unreadableRuns(db: Connection, onWindow: (runs: number) => void): Unreadable {
  defineFunctions(db);
  const result: Unreadable = { unreadable: 0, first: [] };
  const ids = db.prepare(`SELECT ${ROW_ID} FROM agent_runs WHERE id > ? ORDER BY id LIMIT ${WINDOW}`).pluck();
  const render = db
    .prepare(
      `SELECT CAST(group_concat(${runJson(SHOWN_BYTES)}) AS BLOB)
       FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN agent_runs ON agent_runs.id = wanted`,
    )
    .pluck();
  const read = (some: readonly RowId[]): void => {
    const json = render.get(`[${some.join()}]`) as Buffer;
    JSON.parse(`[${wellFormed(json).toString()}]`);
  };
  let runs = 0;
  let passed: RowId = -1e19;
  for (let window = ids.all(passed) as RowId[]; window.length > 0; window = ids.all(passed) as RowId[]) {
    for (let at = 0; at < window.length; at += RENDERED) {
      const some = window.slice(at, at + RENDERED);
      if (objection(() => read(some)) === undefined) continue;
      for (const id of some) {
        const why = objection(() => read([id]));
        if (why === undefined) continue;
        result.unreadable++;
        if (result.first.length < SHOWN) result.first.push(`the row with id ${id} cannot be read: ${why}`);
      }
    }
    runs += window.length;
    passed = window.at(-1) as RowId;
    onWindow(runs);
  }
  return result;
}

/** @throws what says nothing of a row: a damaged page, say */
function objection(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (/^SQLITE_(?!ERROR|TOOBIG|NOMEM)/.test((error as { code?: string }).code ?? '')) throw error;
    return describe(error);
  }
}
