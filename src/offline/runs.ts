/** Whether every stored run is one that could have been sent: a foreign program may have written anything. */
import { type Connection, ROW_ID } from '../actors/database.ts';
import type { RowId } from '../actors/protocol.ts';
import { canonicalStatus, canonicalTimestamp, COLUMNS, type SqlValue, TABLE } from '../run.ts';
import { acceptsRun, reasonAgainst } from '../run/check.ts';
import type { KindName } from '../run/kinds.ts';
import { SHOWN } from './check.ts';

const WINDOW = 2_000;

export interface Unsound {
  runs: number;
  unsound: number;
  /** The first of them, each with what is wrong. */
  first: string[];
}

/** In what form each kind is stored, where that is less than what is read. */
const FORMS: Partial<Record<KindName, (value: unknown) => boolean>> = {
  timestamp: (value) => canonicalTimestamp(value as string) === value,
  status: (value) => canonicalStatus(value as string) === value,
  count: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'number',
  // A release before this took any.
  source: (value) => typeof value === 'string',
};

const forms = TABLE.flatMap(({ name, kind }) => {
  const isStored = FORMS[kind];
  return isStored ? [{ name, isStored }] : [];
});

const JSON_FIELDS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);

/** A longer value is not loaded to be judged. */
const JUDGED_BYTES = 16 * 1024 * 1024;
const judged = COLUMNS.map((name) => `iif(octet_length(${name}) > ${JUDGED_BYTES}, x'', ${name})`);

/** @param onWindow told how many runs have been looked at */
export function unsoundRuns(db: Connection, onWindow: (runs: number) => void): Unsound {
  const result: Unsound = { runs: 0, unsound: 0, first: [] };
  const window = db
    .prepare(`SELECT ${ROW_ID}, ${judged.join(', ')} FROM agent_runs WHERE id > ? ORDER BY id LIMIT ${WINDOW}`)
    .raw();
  for (let passed: RowId = -1e19; ;) {
    let last: RowId | undefined;
    // One at a time: many large runs would fill the memory.
    for (const [id, ...values] of window.iterate(passed) as IterableIterator<[RowId, ...SqlValue[]]>) {
      last = id;
      result.runs++;
      const why = objectionTo(values);
      if (why === undefined) continue;
      result.unsound++;
      if (result.first.length < SHOWN) result.first.push(`${labelOf(values, id)}: ${why}`);
    }
    if (last === undefined) return result;
    passed = last;
    onWindow(result.runs);
  }
}

/** Text that is no JSON is accepted as JSON: migrations keep it as it was, and it is shown as text. */
function objectionTo(values: SqlValue[]): string | undefined {
  const record = Object.fromEntries(COLUMNS.map((name, index) => [name, values[index]]));
  const judged = { ...record };
  for (const name of JSON_FIELDS) if (typeof record[name] === 'string') judged[name] = null;
  // Longer ids than are taken now may be there from a release before this.
  if (!acceptsRun(judged, 'repair')) return reasonAgainst(judged, 'repair');
  for (const { name, isStored } of forms) {
    const value: unknown = record[name];
    if (value !== null && !isStored(value)) return `${name}: not in the form in which it is stored`;
  }
  return undefined;
}

const labelOf = ([eventId]: SqlValue[], id: RowId): string =>
  typeof eventId === 'string' && eventId !== '' ? eventId.slice(0, 200) : `the row with id ${id}`;
