/** Whose a database is. Many programs have a table `schema_migrations`; only telemetry has one of runs. */
import type { Connection } from '../../database.ts';
import { recordedVersion } from './version.ts';

/** A table as `PRAGMA table_list` names it. */
export interface ListedTable {
  name: string;
  type: 'table' | 'view' | 'virtual' | 'shadow';
  /** 1 where it has no rowids. */
  wr: number;
}

/** The tables and views of a database, without SQLite's own. */
export const tablesOf = (db: Connection): ListedTable[] =>
  (db.pragma('main.table_list') as ListedTable[]).filter(({ name }) => !name.startsWith('sqlite_'));

const FOREIGN = 'is a SQLite database, but not of telemetry. Set TELEMETRY_DB_PATH to another file.';

/**
 * Why a database that holds anything cannot be taken for one of telemetry, with the remedy; undefined where it can.
 *
 * @param newest the highest schema version that is known here
 */
export function objectionTo(db: Connection, newest: number): string | undefined {
  const runs = tablesOf(db).find(({ name }) => name.toLowerCase() === 'agent_runs');
  if (runs?.type === 'view') {
    return 'has a view agent_runs in the place of the table, so its runs are stored somewhere else. Set TELEMETRY_DB_PATH to the database that has the table, or make a table of the view in a copy.';
  }
  if (runs?.type !== 'table') return FOREIGN;
  const version = recordedVersion(db);
  if (version > newest)
    return `has schema version ${version}; this service knows versions up to ${newest}. Install a newer local-telemetry.`;
  const columns = db.prepare('SELECT lower(name) FROM pragma_table_info(?)').pluck().all(runs.name);
  return columns.includes('run_id') || columns.includes('agent_name') ? undefined : FOREIGN;
}
