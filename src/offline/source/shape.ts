/** How the runs of another database are read: its columns decide, whatever its version. */
import type { Connection } from '../../actors/database.ts';
import { FIRST_VERSION } from '../../actors/writer/older/version.ts';
import { TelemetryError } from '../../errors.ts';
import { COLUMNS, SCHEMA_VERSION } from '../../run.ts';

export interface SourceShape {
  /** Recorded; 0 where none is. */
  version: number;
  /** Its rows are this version's: they say which fields hold a default, and their ids are unique. */
  ours: boolean;
  table: string;
  /** All but `defaulted`. */
  columns: string[];
  hasRowid: boolean;
  /** Values at a row's end that name it. */
  keySize: number;
  /** The statement for all rows in order, or for those after a key, whose values it takes. */
  select: (from: '' | 'after') => string;
  /** Tables with rows that have no place in the API. */
  others: string[];
}

interface Column {
  name: string;
  pk: number;
  hidden: number;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** @throws TelemetryError "refused" for a newer database, or one of something else */
export function readShape(db: Connection, path: string): SourceShape {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  const find = (wanted: string): string | undefined => tables.find((name) => name.toLowerCase() === wanted);
  const runs = find('agent_runs');
  if (runs === undefined) throw refused(path, 'is a SQLite database, but holds no runs. Name a telemetry database.');
  const version = versionIn(db, find('schema_migrations'));
  if (version > SCHEMA_VERSION) {
    throw refused(
      path,
      `has schema version ${version}, and versions up to ${SCHEMA_VERSION} are known here. Install a newer local-telemetry.`,
    );
  }
  const listed = db.prepare('SELECT name, pk, hidden FROM pragma_table_xinfo(?)').all(runs) as Column[];
  const all = listed.filter(({ hidden }) => hidden !== 1).map(({ name }) => name);
  const ours = version >= FIRST_VERSION && [...COLUMNS, 'defaulted'].every((name) => all.includes(name));
  const columns = ours ? [...COLUMNS] : all;
  const { key, hasRowid } = keyOf(db, runs, listed, path);
  const wanted = [...columns.map(quote), ...(ours ? ['defaulted'] : []), ...key].join(', ');
  const select = (from: '' | 'after'): string => {
    const after = from === '' ? '' : `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`;
    return `SELECT ${wanted} FROM ${quote(runs)} ${after} ORDER BY ${key.join(', ')}`;
  };
  const others = ['run_events', 'commits'].filter((name) => hasRows(db, find(name)));
  return { version, ours, table: quote(runs), columns, hasRowid, keySize: key.length, select, others };
}

function keyOf(
  db: Connection,
  table: string,
  listed: readonly Column[],
  path: string,
): { key: string[]; hasRowid: boolean } {
  const info = db.prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?").pluck();
  const taken = new Set(listed.map(({ name }) => name.toLowerCase()));
  // Each may be the name of an ordinary column.
  const rowid = ['_rowid_', 'rowid', 'oid'].find((alias) => !taken.has(alias));
  if (info.get(table) === 0 && rowid !== undefined) return { key: [rowid], hasRowid: true };
  const primary = listed.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  if (primary.length === 0)
    throw refused(path, 'names its rows in a way that is not known here. Migrate a copy of it, and import that.');
  return { key: primary.map(({ name }) => quote(name)), hasRowid: false };
}

/** The highest version written down: a number, or text such as `6`, `v6`, `6.0.0`. */
function versionIn(db: Connection, table: string | undefined): number {
  if (table === undefined) return 0;
  const columns = db.prepare('SELECT name FROM pragma_table_xinfo(?)').pluck().all(table) as string[];
  const column = columns.find((name) => name.toLowerCase() === 'version');
  if (column === undefined) return 0;
  const versions = db
    .prepare(`SELECT DISTINCT ${quote(column)} FROM ${quote(table)} LIMIT 1000`)
    .pluck()
    .all();
  return Math.max(0, ...versions.map((version) => Number(/^\s*v?(\d{1,9})(?!\d)/i.exec(String(version))?.[1] ?? 0)));
}

const hasRows = (db: Connection, table: string | undefined): boolean =>
  table !== undefined && db.prepare(`SELECT 1 FROM ${quote(table)} LIMIT 1`).get() !== undefined;

const refused = (path: string, why: string): TelemetryError =>
  new TelemetryError('refused', `The database ${path} ${why} It was not changed.`);
