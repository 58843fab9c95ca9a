/** The rows of an older table, one at a time: a window of them could be larger than memory. */
import type { Statement } from 'better-sqlite3';
import type { Connection } from '../../database.ts';
import type { OlderValue } from '../../../run/older.ts';
import { utf8Of } from '../../../run/older/values.ts';
import { quote, type Table } from './shape.ts';

/** An older row: the values of the table's columns; behind them those of its key. */
export type OlderRow = OlderValue[];

export interface Reading {
  db: Connection;
  table: Table;
  /** Text is kept in UTF-8. */
  utf8: boolean;
}

/** @param where a condition on the rowid, which may be used where the table has one */
export function* rowsOf({ db, table, utf8 }: Reading, where = '1'): Generator<OlderRow> {
  const columns = table.columns.map(quote);
  const order = table.key.length > 0 ? `ORDER BY ${table.key.join(', ')}` : '';
  const select = `SELECT ${[...columns, ...table.key].join(', ')} FROM ${quote(table.name)} WHERE ${where} ${order}`;
  const rows = db.prepare(select).raw().safeIntegers().iterate() as IterableIterator<OlderRow>;
  const bytes = utf8 && table.key.length > 0 ? bytesOfText(db, table) : undefined;
  for (const row of rows) {
    if (bytes && row.some((value) => typeof value === 'string' && value.includes('\uFFFD'))) restoreBytes(row, bytes);
    yield row;
  }
}

function bytesOfText(db: Connection, table: Table): Statement {
  const bytes = table.columns
    .map(quote)
    .map((column) => `iif(typeof(${column}) = 'text', CAST(${column} AS BLOB), NULL)`);
  const key = table.key.map((part) => `${part} IS ?`).join(' AND ');
  return db.prepare(`SELECT ${bytes.join(', ')} FROM ${quote(table.name)} WHERE ${key}`).raw();
}

/** Text that is not UTF-8 has lost its bytes on the way to a string: it is read again as a blob. */
function restoreBytes(row: OlderRow, bytes: Statement): void {
  const found = bytes.get(...row.slice(-1 * keyLength(row, bytes))) as (Uint8Array | null)[] | undefined;
  for (const [index, blob] of (found ?? []).entries()) {
    if (blob !== null && utf8Of(blob) === undefined) row[index] = blob;
  }
}

const keyLength = (row: OlderRow, bytes: Statement): number => row.length - bytes.columns().length;
