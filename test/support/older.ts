/** Databases of earlier versions, made by SQL as those made them, with what must become of each run in them. */
import { copyFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { type OlderRun, usualRun, type Value } from './older-runs.ts';
import { OLDER_SCHEMAS, type OlderSchemaName } from './older-schemas.ts';

export interface Older {
  path: string;
  version: number;
  shape: string;
  runs: OlderRun[];
}

export function insertOlder(db: Database.Database, runs: Iterable<OlderRun>): void {
  const inserts = new Map<string, Database.Statement>();
  db.transaction(() => {
    for (const { id, given } of runs) {
      const columns = ['rowid', ...Object.keys(given)].join(', ');
      const marks = Object.keys(given).map(() => ', ?');
      const insert =
        inserts.get(columns) ?? db.prepare(`INSERT INTO agent_runs (${columns}) VALUES (?${marks.join('')})`);
      inserts.set(columns, insert);
      insert.run(id, ...Object.values(given));
    }
  })();
}

export const columnsOf = (db: Database.Database): string[] =>
  db.prepare("SELECT name FROM pragma_table_info('agent_runs')").pluck().all() as string[];

/** Two events and a commit of every tenth run: with foreign keys onto a run_id that need not be unique. */
function insertBeside(db: Database.Database): void {
  db.pragma('foreign_keys = OFF');
  db.exec(`INSERT INTO run_events (id, run_id, event_type, timestamp, payload_json)
      SELECT rowid * 5, run_id, 'checkpoint', '2025-12-10 12:05:31', '{"step": 1}' FROM agent_runs WHERE rowid % 20 = 1;
    INSERT INTO run_events (id, run_id, event_type, timestamp)
      SELECT rowid * 5 + 1, run_id, 'end', '2025-12-10 12:06:31' FROM agent_runs WHERE rowid % 20 = 1;
    INSERT INTO commits (commit_hash, run_id, repo, files_changed)
      SELECT 'commit-' || rowid, run_id, 'git@example.org:o/r.git', 3 FROM agent_runs WHERE rowid % 20 = 1;`);
}

const failureOf = (name: OlderSchemaName): 'failed' | 'failure' =>
  OLDER_SCHEMAS[name].version < 6 && name !== 'half migrated by hand' ? 'failed' : 'failure';

/** The runs of such a database, made as they are asked for: many do not fit into memory. */
export function* usualRuns(name: OlderSchemaName, count: number): Generator<OlderRun> {
  const db = new Database(':memory:');
  db.exec(OLDER_SCHEMAS[name].sql);
  const columns = columnsOf(db);
  db.close();
  for (let index = 0; index < count; index++) yield usualRun(index, columns, failureOf(name));
}

/** A database of an earlier version with runs of the real shape. */
export function makeOlder(path: string, name: OlderSchemaName, count = 60): Older {
  makeOlderFile(path, name, count);
  const { version, shape } = OLDER_SCHEMAS[name];
  return { path, version, shape, runs: [...usualRuns(name, count)] };
}

/** The same without its runs in memory. */
export function makeOlderFile(path: string, name: OlderSchemaName, count: number): void {
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.exec(OLDER_SCHEMAS[name].sql);
  insertOlder(db, usualRuns(name, count));
  insertBeside(db);
  db.close();
}

/** Of version 3, in WAL mode, its second half only in the WAL, as a crash leaves it. */
export function makeOlderInWal(path: string, count = 60): Older {
  const older = makeOlder(`${path}.origin`, 'v3', count / 2);
  const db = new Database(`${path}.origin`);
  db.pragma('journal_mode = WAL');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.pragma('wal_autocheckpoint = 0');
  const columns = columnsOf(db);
  const more = Array.from({ length: count / 2 }, (_, index) => usualRun(index + count / 2, columns, 'failed'));
  insertOlder(db, more);
  copyFileSync(`${path}.origin`, path);
  copyFileSync(`${path}.origin-wal`, `${path}-wal`);
  db.close();
  return { ...older, path, runs: [...older.runs, ...more] };
}

export type { OlderRun, Value };
