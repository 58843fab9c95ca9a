/** Which version a database says it is of. */
import type { Connection } from '../../database.ts';

/** Versions from here on are this service's own. */
export const FIRST_VERSION = 8;

/**
 * The highest version written down in `schema_migrations`: as a number, or as text such as `6`, `v6`, `6.0.0`.
 *
 * @returns 0 where there is no such table, or nothing like a version in it
 */
export function recordedVersion(db: Connection): number {
  const column = db
    .prepare("SELECT name FROM pragma_table_info('schema_migrations') WHERE lower(name) = 'version'")
    .pluck()
    .get() as string | undefined;
  if (column === undefined) return 0;
  let highest = 0;
  for (const value of db.prepare(`SELECT "${column}" FROM schema_migrations`).pluck().iterate()) {
    highest = Math.max(highest, versionNumber(value) ?? 0);
  }
  return highest;
}

/** @returns undefined where nothing like a version stands there */
export function versionNumber(value: unknown): number | undefined {
  const digits = /^\s*v?(\d{1,9})(?!\d)/i.exec(String(value))?.[1];
  return digits === undefined ? undefined : Number(digits);
}
