/** Writes migrations/schema.sql: what the numbered steps add up to, for reading and for comparing. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { migrate, MIGRATIONS_DIRECTORY, readMigrations } from '../src/actors/writer/migrate.ts';

export const SCHEMA_FILE = `${MIGRATIONS_DIRECTORY}schema.sql`;

const HEAD = '-- The newest schema, written by `npm run schema` from the numbered files. Not to be edited.\n';

/** The statements that made a database's tables and indexes, in the order of their creation. */
export function schemaOf(db: Database.Database): string[] {
  return db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid').pluck().all() as string[];
}

/** The text of migrations/schema.sql as it should be. */
export function schemaText(): string {
  const db = new Database(':memory:');
  try {
    migrate(db, 0, readMigrations());
    return [HEAD, ...schemaOf(db).map((sql) => `${sql};\n`)].join('\n');
  } finally {
    db.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SCHEMA_FILE, schemaText());
