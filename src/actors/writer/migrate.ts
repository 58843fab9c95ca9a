/** The numbered steps that bring a database of ours to the newest schema. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../database.ts';

export interface Migration {
  version: number;
  description: string;
  sql: string;
}

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../../migrations/', import.meta.url));

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
 * Applies the migrations above `version`, each in a transaction of its own; a first step that is incomplete is completed.
 *
 * @returns the versions applied
 */
export function migrate(db: Connection, version: number, migrations: readonly Migration[]): number[] {
  const pending = migrations.filter((migration) => migration.version > version);
  const [first] = migrations;
  if (version === first?.version) complete(db, first);
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
 * The first step grew while nothing was released, and a checkout from then has already taken it: where a
 * table of it is missing, it is taken again. Its statements say IF NOT EXISTS for that.
 */
function complete(db: Connection, { sql }: Migration): void {
  const wanted = [...sql.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)].map(([, name]) => name);
  const there = new Set(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all());
  if (wanted.some((name) => !there.has(name))) db.transaction(() => db.exec(sql)).immediate();
}
