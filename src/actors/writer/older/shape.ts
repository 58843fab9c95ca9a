/** What an older database is made of. Its columns decide, for some were half migrated by hand; the recorded version is only told. */
import type { Connection } from '../../database.ts';
import { readMigrations } from '../migrate.ts';
import { refused } from './refusal.ts';
import { recordedVersion } from './version.ts';
import { type ListedTable, objectionTo, tablesOf } from './whose.ts';

export { FIRST_VERSION, recordedVersion, versionNumber } from './version.ts';

/** A table to be read row by row. Names are quoted where they are SQL. */
export interface Table {
  name: string;
  columns: string[];
  /** What names a row: its rowid, or the columns of its primary key. */
  key: string[];
  hasRowid: boolean;
  rows: number;
}

export interface Shape {
  /** The recorded version; 0 where there is none. */
  version: number;
  runs: Table;
  events: Table | undefined;
  commits: Table | undefined;
  history: Table | undefined;
  /** Tables, views, triggers and columns that are not taken over, such as `table notes`. */
  leftBehind: string[];
  /** Text is kept in UTF-8, so its bytes can be looked at. */
  utf8: boolean;
}

interface ListedColumn {
  name: string;
  pk: number;
  hidden: number;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * @param exactly rows are counted in the tables themselves, not in an index: slower, and true whatever the index holds
 * @throws TelemetryError "refused" for a database that is newer, or of something else
 */
export function shapeOf(db: Connection, path: string, exactly = false): Shape {
  const listed = tablesOf(db);
  if (listed.length === 0)
    throw refused(path, 'holds nothing to migrate. Start the service: it makes a new one of it.');
  const objection = objectionTo(db, readMigrations().at(-1)?.version ?? 0);
  if (objection !== undefined) throw refused(path, objection);
  const find = (wanted: string): Table | undefined => {
    const found = listed.find(({ name, type }) => type === 'table' && name.toLowerCase() === wanted);
    return found && tableOf(db, found, exactly);
  };
  const [events, history] = [find('run_events'), find('schema_migrations')];
  return {
    version: history ? recordedVersion(db) : 0,
    runs: find('agent_runs') as Table,
    events,
    commits: find('commits'),
    history,
    leftBehind: [...leftBehind(db, listed), ...renumbered(db, events)].sort(),
    utf8: db.pragma('encoding', { simple: true }) === 'UTF-8',
  };
}

function tableOf(db: Connection, { name, wr }: ListedTable, exactly: boolean): Table {
  const listed = db.prepare('SELECT name, pk, hidden FROM pragma_table_xinfo(?)').all(name) as ListedColumn[];
  const columns = listed.filter(({ hidden }) => hidden !== 1).map((column) => column.name);
  // Each may be the name of an ordinary column.
  const rowid = ['_rowid_', 'rowid', 'oid'].find((alias) => !columns.some((column) => column.toLowerCase() === alias));
  const hasRowid = wr === 0 && rowid !== undefined;
  const primary = listed.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const key = hasRowid ? [rowid] : primary.map((column) => quote(column.name));
  const rows = db
    .prepare(`SELECT count(*) FROM ${quote(name)} ${exactly ? 'NOT INDEXED' : ''}`)
    .pluck()
    .get() as number;
  return { name, columns, key, hasRowid, rows };
}

/** Columns of the two small tables, by the table; those of runs are kept with the run. */
export const EVENT_COLUMNS = ['run_id', 'event_type', 'timestamp', 'payload_json'] as const;
export const COMMIT_COLUMNS = [
  'commit_hash',
  'run_id',
  'agent_name',
  'repo',
  'branch',
  'commit_date',
  'author',
  'message',
  'files_changed',
  'insertions',
  'deletions',
  'created_at',
] as const;

const TAKEN: Readonly<Record<string, readonly string[] | null>> = {
  agent_runs: null,
  schema_migrations: null,
  run_events: ['id', ...EVENT_COLUMNS],
  commits: COMMIT_COLUMNS,
};

function leftBehind(db: Connection, listed: readonly ListedTable[]): string[] {
  const left: string[] = [];
  for (const { name, type } of listed) {
    const taken = type === 'table' ? TAKEN[name.toLowerCase()] : undefined;
    if (taken === undefined) left.push(`${type === 'view' ? 'view' : 'table'} ${name}`);
    if (!taken) continue;
    const columns = db.prepare('SELECT name FROM pragma_table_xinfo(?)').pluck().all(name) as string[];
    left.push(
      ...columns.filter((column) => !taken.includes(column.toLowerCase())).map((column) => `column ${name}.${column}`),
    );
  }
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  return [...left, ...triggers.map((name) => `trigger ${name}`)];
}

/** Ids of events that are no numbers, or not those of their rows: events are known by the numbers of their rows from now on. */
function renumbered(db: Connection, events: Table | undefined): string[] {
  const id = events?.columns.find((column) => column.toLowerCase() === 'id');
  if (!events || id === undefined) return [];
  const differs = events.hasRowid ? `${quote(id)} IS NOT ${events.key[0]}` : '1';
  const count = db
    .prepare(`SELECT count(*) FROM ${quote(events.name)} WHERE ${quote(id)} IS NOT NULL AND ${differs}`)
    .pluck()
    .get() as number;
  return count > 0 ? [`the ids of ${count} events`] : [];
}
