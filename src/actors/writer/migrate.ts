/** The schema of a database: what it is now, and the numbered steps that bring it to the newest. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { systemCode, TelemetryError } from '../../errors.ts';
import type { Connection } from '../database.ts';

export interface Migration {
  version: number;
  description: string;
  sql: string;
}

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** The first version of ours; those below are the predecessor's. */
const FIRST_VERSION = 8;

/** The migrations of a folder, by number: files named `0008-runs.sql`. */
export function readMigrations(directory = MIGRATIONS_DIRECTORY): Migration[] {
  const found: Migration[] = [];
  for (const file of readdirSync(directory).sort()) {
    const name = /^(\d{4})-(.+)\.sql$/.exec(file);
    if (!name) continue;
    const sql = readFileSync(`${directory}/${file}`, 'utf8');
    found.push({ version: Number(name[1]), description: String(name[2]).replaceAll('-', ' '), sql });
  }
  return found;
}

/**
 * Looks at a file without changing a byte of it.
 *
 * @returns the schema version; 0 for a file that is missing, or empty (a kill between open and first commit leaves that)
 * @throws TelemetryError "refused" for a database that is not ours to open, saying what to do
 */
export function inspect(path: string, migrations: readonly Migration[]): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw refused(path, 'is not a file. Set TELEMETRY_DB_PATH to a file.');
  if (found && found.nlink > 1) {
    const why = `has ${found.nlink} names (hard links). Lock and journal lie beside a name, so under another one a second writer could start: give it one name, with cp instead of ln.`;
    throw refused(path, why);
  }
  if (!found || found.size === 0) return 0;
  try {
    return inspectWith(path, migrations, true);
  } catch (error) {
    // A crash left a hot journal (or WAL) that only a writable connection may recover.
    if (/^SQLITE_(READONLY|CANTOPEN)/.test(systemCode(error) ?? '')) return inspectWith(path, migrations, false);
    throw error;
  }
}

function inspectWith(path: string, migrations: readonly Migration[], readonly: boolean): number {
  let db: Connection | undefined;
  try {
    db = new Database(path, { readonly, timeout: 1000 });
    return versionOf(db, path, migrations);
  } catch (error) {
    if (systemCode(error) !== 'SQLITE_NOTADB') throw error;
    throw refused(
      path,
      'is not a SQLite database. Set TELEMETRY_DB_PATH to a telemetry database or to a new file.',
      error,
    );
  } finally {
    db?.close();
  }
}

function versionOf(db: Connection, path: string, migrations: readonly Migration[]): number {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  const tables = new Set(names.filter((name) => !name.startsWith('sqlite_')));
  if (tables.size === 0) return 0;
  if (!tables.has('agent_runs') && !tables.has('schema_migrations')) {
    throw refused(path, 'is a SQLite database, but not of telemetry. Set TELEMETRY_DB_PATH to another file.');
  }
  const version = tables.has('schema_migrations')
    ? Number(db.prepare('SELECT max(version) FROM schema_migrations').pluck().get() ?? 0)
    : 0;
  const newest = migrations.at(-1)?.version ?? 0;
  if (version > newest) {
    throw refused(
      path,
      `has schema version ${version}; this service knows versions up to ${newest}. Install a newer local-telemetry.`,
    );
  }
  if (version < FIRST_VERSION) {
    throw refused(
      path,
      `has schema version ${version || 'unknown'}, of an earlier telemetry service, which this release cannot migrate yet. ` +
        'Keep it as it is and set TELEMETRY_DB_PATH to a new file.',
    );
  }
  return version;
}

/** @throws TelemetryError "refused" for a version that must be migrated before it can be read */
export function requireCurrent(path: string, version: number, migrations: readonly Migration[]): void {
  if (version === migrations.at(-1)?.version) return;
  const has = version === 0 ? 'is empty.' : `has schema version ${version}.`;
  throw refused(path, `${has} Start the service on it, or run local-telemetry migrate, first.`);
}

function refused(path: string, why: string, cause?: unknown): TelemetryError {
  return new TelemetryError('refused', `The database ${path} ${why} It was not changed.`, { cause });
}

/**
 * Applies the migrations above `version`, each in a transaction of its own, and completes the newest one.
 *
 * @returns the versions applied
 */
export function migrate(db: Connection, version: number, migrations: readonly Migration[]): number[] {
  const pending = migrations.filter((migration) => migration.version > version);
  const newest = migrations.at(-1);
  if (version === newest?.version) complete(db, newest);
  for (const { version: next, description, sql } of pending) {
    db.transaction(() => {
      db.exec(sql);
      db.prepare('INSERT INTO schema_migrations (version, applied_at, description) VALUES (?, ?, ?)').run(
        next,
        new Date().toISOString(),
        description,
      );
    }).immediate();
  }
  return pending.map((migration) => migration.version);
}

/**
 * A step that is not released yet may grow, and a checkout from before has already taken it: where a
 * table of it is missing, it is taken again. Its statements say IF NOT EXISTS for that.
 */
function complete(db: Connection, { sql }: Migration): void {
  const wanted = [...sql.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)].map(([, name]) => name);
  const there = new Set(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all());
  if (wanted.some((name) => !there.has(name))) db.transaction(() => db.exec(sql)).immediate();
}
