/** Whether a database has the tables, columns and indexes of this release. */
import type { Connection } from '../actors/database.ts';
import { migrate, readMigrations } from '../actors/writer/migrate.ts';
import { openNowhere } from './open.ts';

/** Column or index entry by its name, each as text that compares. */
type Shape = Map<string, Map<string, string>>;

/** @returns what is missing or different, one a line; what a database has beside is nobody's business */
export function schemaDifferences(db: Connection): string[] {
  const fresh = openNowhere();
  try {
    migrate(fresh, 0, readMigrations());
    return differences(shapeOf(fresh), shapeOf(db));
  } finally {
    fresh.close();
  }
}

function shapeOf(db: Connection): Shape {
  const shape: Shape = new Map();
  const rows = db
    .prepare("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%'")
    .raw()
    .all() as [string, string, string][];
  for (const [type, name, sql] of rows) {
    shape.set(`${type} ${name}`, type === 'table' ? columnsOf(db, name) : entriesOf(db, name, sql));
  }
  return shape;
}

function columnsOf(db: Connection, table: string): Map<string, string> {
  const sql = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)';
  const rows = db.prepare(sql).raw().all(table) as [string, ...unknown[]][];
  return new Map(rows.map(([name, ...rest]) => [`column ${name}`, JSON.stringify(rest)]));
}

function entriesOf(db: Connection, index: string, sql: string): Map<string, string> {
  const rows = db.prepare('SELECT seqno, name, "desc" FROM pragma_index_xinfo(?) WHERE key').raw().all(index);
  const where = /\bWHERE\b.*$/is.exec(sql)?.[0].replaceAll(/\s+/g, ' ') ?? '';
  return new Map([['its columns', JSON.stringify(rows) + where]]);
}

function differences(wanted: Shape, found: Shape): string[] {
  const lines: string[] = [];
  for (const [name, parts] of wanted) {
    const there = found.get(name);
    if (!there) lines.push(`${name} is missing`);
    else {
      for (const [part, value] of parts) {
        if (!there.has(part)) lines.push(`${name}: ${part} is missing`);
        else if (there.get(part) !== value) lines.push(`${name}: ${part} is not as it should be`);
      }
    }
  }
  return lines;
}
