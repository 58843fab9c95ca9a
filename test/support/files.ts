/** Database files as they are found in the field: older, newer, foreign, broken, left by a crash. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { migrate, readMigrations } from '../../src/actors/writer/migrate.ts';
import { aRecord, insertRuns } from './database.ts';

/** The bytes of the database and of SQLite's files beside it, as digests by name. */
export function digestsOf(path: string): Record<string, string> {
  const directory = dirname(path);
  const names = readdirSync(directory).filter(
    (name) => join(directory, name).startsWith(path) && !name.includes('lock') && !name.endsWith('-shm'),
  );
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}

const EARLIER = `CREATE TABLE agent_runs (run_id TEXT PRIMARY KEY, agent_name TEXT, status TEXT, created_at TEXT);
  INSERT INTO agent_runs VALUES ('r', 'a', 'failed', '2025-12-10 12:05:30');`;
const MIGRATIONS = 'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT, description TEXT);';
const recorded = (version: number | string): string =>
  `${MIGRATIONS} INSERT INTO schema_migrations VALUES (${version}, 't', 'd');`;

type Make = (path: string) => void;

const bytes =
  (content: string | Buffer): Make =>
  (path) =>
    writeFileSync(path, content);

function made(sql: string): Make {
  return (path) => {
    const db = new Database(path);
    db.exec(sql);
    db.close();
  };
}

/** A database in WAL mode whose last commit lies in the file beside it, as a crash leaves it. */
function madeInWal(path: string): void {
  const origin = `${path}.origin`;
  const db = new Database(origin);
  db.pragma('journal_mode = WAL');
  db.exec(`${EARLIER} ${recorded(3)}`);
  copyFileSync(origin, path);
  copyFileSync(`${origin}-wal`, `${path}-wal`);
  db.close();
}

/** What must be migrated before it is used: a name, how the file is made, and what is said of its version. */
export const OLDER: readonly (readonly [name: string, make: Make, why: RegExp])[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (version) =>
      [
        `a database of version ${version}`,
        made(`${EARLIER} ${recorded(version)}`),
        new RegExp(`has schema version ${version}: it is of an earlier`),
      ] as const,
  ),
  ['a version 3 in WAL mode after a crash', madeInWal, /has schema version 3: it is of an earlier/],
  ['runs without a recorded version', made(EARLIER), /records no schema version: it is of an earlier/],
  ['a version table without a version', made(`${EARLIER} ${MIGRATIONS}`), /records no schema version/],
  [
    'a version written as text',
    made(`${EARLIER} ${recorded("'v6'").replace('INTEGER PRIMARY KEY', 'TEXT')}`),
    /has schema version 6:/,
  ],
];

const NOT_OURS = /is a SQLite database, but not of telemetry\. Set TELEMETRY_DB_PATH to another file\./;

/** Databases of other programs that look like ours. */
export const FOREIGN: readonly (readonly [name: string, make: Make, why: RegExp])[] = [
  [
    'an application whose migrations are recorded as numbers',
    made(`CREATE TABLE schema_migrations (version uint64, dirty bool); INSERT INTO schema_migrations VALUES (3, false);
      CREATE TABLE users (name); INSERT INTO users VALUES ('somebody');`),
    NOT_OURS,
  ],
  [
    'an application whose migrations are recorded as times',
    made(`CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
      INSERT INTO schema_migrations VALUES ('20240101120000'); CREATE TABLE posts (title);`),
    NOT_OURS,
  ],
  ['a version table of ours without a version and without runs', made(MIGRATIONS), NOT_OURS],
  ['a recorded version of ours without a table of runs', made(recorded(8)), NOT_OURS],
  [
    'an application with runs of agents of another kind',
    made(
      `CREATE TABLE agent_runs (id INTEGER PRIMARY KEY, miles REAL); INSERT INTO agent_runs VALUES (1, 26.2); ${recorded(6)}`,
    ),
    NOT_OURS,
  ],
  [
    'a search index by the name of the runs',
    made(`CREATE VIRTUAL TABLE agent_runs USING fts5(run_id, agent_name); ${recorded(6)}`),
    NOT_OURS,
  ],
  [
    'a view by the name of the runs',
    made(
      `${EARLIER.replaceAll('agent_runs', 'runs_of_2025')} CREATE VIEW agent_runs AS SELECT * FROM runs_of_2025; ${recorded(6)}`,
    ),
    /has a view agent_runs in the place of the table, so its runs are stored somewhere else\. Set TELEMETRY_DB_PATH/,
  ],
];

/** What must be refused: a name, how the file is made, and what the refusal says. */
export const REFUSED: readonly (readonly [name: string, make: Make, why: RegExp])[] = [
  ...FOREIGN,
  [
    'a newer database',
    made(`${EARLIER} ${recorded(8)} ${'INSERT INTO schema_migrations VALUES (99, 0, 0)'}`),
    /has schema version 99; .*Install a newer/,
  ],
  [
    'a database of something else',
    made('CREATE TABLE notes (x)'),
    /is a SQLite database, but not of telemetry. Set TELEMETRY_DB_PATH/,
  ],
  ['a text', bytes('event_id,run_id\n'.repeat(100)), /is not a SQLite database. Set TELEMETRY_DB_PATH/],
  ['a file of a few bytes', bytes('note'), /is not a SQLite database/],
  ['a page of zeros', bytes(Buffer.alloc(4096)), /is not a SQLite database/],
];

/** A database of the newest version with a hot journal: killed in the midst of writing pages. @returns its rows before */
export function madeWithHotJournal(path: string, runs = 50): number {
  const origin = `${path}.origin`;
  const db = new Database(origin);
  migrate(db, 0, readMigrations());
  insertRuns(
    db,
    Array.from({ length: runs }, () => aRecord({ output_summary: 'x'.repeat(500) })),
  );
  db.pragma('cache_size = 5');
  db.exec("BEGIN IMMEDIATE; DELETE FROM agent_runs WHERE id > 10; UPDATE agent_runs SET output_summary = 'half'");
  copyFileSync(origin, path);
  copyFileSync(`${origin}-journal`, `${path}-journal`);
  db.exec('ROLLBACK');
  db.close();
  return runs;
}

export const hasJournal = (path: string): boolean => existsSync(`${path}-journal`);
