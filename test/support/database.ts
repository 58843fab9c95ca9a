/** Databases for tests of the plain logic: no thread, no service. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { type Connection, openWritable } from '../../src/actors/database.ts';
import type { CommandName, CommandResult, Commands, Parcel } from '../../src/actors/protocol.ts';
import { type GroupOptions, GroupWriter } from '../../src/actors/writer/group.ts';
import { migrate, readMigrations } from '../../src/actors/writer/migrate.ts';
import type { DatabaseConfig } from '../../src/config.ts';
import type { Outcome } from '../../src/errors.ts';
import { COLUMNS, rowOf, type RunRecord, FIELD_INDEX } from '../../src/run.ts';

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-unit-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A `.env` file with these lines. */
export function dotenvOf(t: TestContext, ...lines: string[]): string {
  const path = join(folder(t), '.env');
  writeFileSync(path, lines.join('\n'));
  return path;
}

export function databaseConfig(directory: string, fields: Partial<DatabaseConfig> = {}): DatabaseConfig {
  const path = join(directory, 'telemetry.sqlite');
  return {
    path,
    lockFile: undefined,
    journalMode: 'DELETE',
    synchronous: 'FULL',
    busyTimeoutMs: 50,
    autoMigrateMaxRows: 500_000,
    ...fields,
  };
}

/** A database of the newest schema in memory. */
export function memoryDatabase(): Connection {
  const db = new Database(':memory:');
  migrate(db, 0, readMigrations());
  return db;
}

/** A database of the newest schema in a file, on the writer's own kind of connection, without its syncs. */
export function fileDatabase(t: TestContext, directory = folder(t)): { db: Connection; path: string } {
  const config = databaseConfig(directory);
  const db = openWritable(config);
  t.after(() => db.close());
  db.pragma('synchronous = OFF');
  migrate(db, 0, readMigrations());
  return { db, path: config.path };
}

export function groupWriter(db: Connection, options: Partial<GroupOptions> = {}): GroupWriter {
  return new GroupWriter(db, {
    gate: null,
    directory: null,
    busyTimeoutMs: 50,
    changeCounter: null,
    rollupsTrusted: true,
    ...options,
  });
}

/** A command and its body: a value that goes as JSON, or JSON text as it is. */
export type Sent = { [N in CommandName]: { name: N; args: Commands[N]['args']; body: unknown } }[CommandName];

export const create = (body: unknown): Sent => ({ name: 'create', args: {}, body });
export const batch = (body: unknown, merge = false): Sent => ({
  name: 'batch',
  args: { merge, maxRuns: 10_000, maxRunBytes: 64 * 1024 * 1024 },
  body,
});
export const update = (eventId: string, body: unknown): Sent => ({ name: 'update', args: { eventId }, body });
export const associate = (eventId: string, body: unknown): Sent => ({ name: 'associate', args: { eventId }, body });

export function groupOf(...sent: Sent[]): Parcel {
  const bodies = sent.map(({ body }) => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  let start = 0;
  const commands = sent.map(({ name, args }, index) => {
    const end = start + (bodies[index] as Buffer).byteLength;
    const command = { name, args, start, end };
    start = end;
    return command as Parcel['commands'][number];
  });
  return { commands, bytes: new Uint8Array(Buffer.concat(bodies)) };
}

/** The error codes of a group's outcomes, "ok" for what went well. */
export function codesOf(outcomes: Outcome<CommandResult>[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code));
}

export interface Totals {
  runs: unknown[];
  hours: unknown[];
}

/** What the rollup tables say. */
export function rollupsOf(db: Connection): Totals {
  return {
    runs: db.prepare('SELECT agent_name, job_type, status, runs FROM rollup_runs ORDER BY 1, 2, 3').raw().all(),
    hours: db.prepare('SELECT hour, runs FROM rollup_hours ORDER BY 1').raw().all(),
  };
}

/** What the rollup tables should say, from the runs themselves. */
export function totalsOf(db: Connection): Totals {
  const runs = 'SELECT agent_name, job_type, status, count(*) FROM agent_runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3';
  const hours = 'SELECT substr(created_at, 1, 13), count(*) FROM agent_runs GROUP BY 1 ORDER BY 1';
  return { runs: db.prepare(runs).raw().all(), hours: db.prepare(hours).raw().all() };
}

/** Puts records into the table past the writer, as a foreign program would. */
export function insertRuns(db: Connection, records: readonly RunRecord[], now = NOW): void {
  const columns = [...COLUMNS, 'defaulted'];
  const insert = db.prepare(
    `INSERT INTO agent_runs (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  db.transaction(() => {
    for (const record of records) {
      const { values, defaulted } = rowOf(record, now);
      // The service takes no such name.
      for (const name of ['agent_name', 'job_type'] as const) if (record[name] === '') values[FIELD_INDEX[name]] = '';
      insert.run(...values, defaulted);
    }
  })();
}

export const NOW = '2026-01-10T12:00:00.000000+00:00';

let runs = 0;

/** A record with its required fields, under an event_id of its own. */
export function aRecord(fields: Record<string, unknown> = {}): Record<string, unknown> & { event_id: string } {
  const event_id = `event-${++runs}`;
  const start_time = '2026-01-10T12:00:00Z';
  return { event_id, run_id: `run-${runs}`, agent_name: 'tester', job_type: 'check', start_time, ...fields };
}
