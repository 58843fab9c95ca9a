/** What keeps a database well over the years: old runs go, space comes back, statistics and indexes stay good. */
import { systemCode, TelemetryError } from '../../errors.ts';
import { COLUMNS, FIELD_INDEX, type SqlValue } from '../../run.ts';
import { type Connection, ROW_ID } from '../database.ts';
import type { Commands, RowId, Shrunk } from '../protocol.ts';
import type { Row } from './clocks.ts';

type Result<N extends keyof Commands> = Commands[N]['result'];

/** Entries that statistics are made from, an index; all of them would be read through otherwise. */
const ANALYSIS_LIMIT = 1_000;

const NEEDED = ['run_id', 'agent_name', 'job_type', 'status', 'created_at'] as const;

export class Care {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** The oldest runs go, with their clocks, and with events and commits that no other run shares. */
  delete({ before, limit }: Commands['delete']['args'], gone: (id: RowId, row: Row) => void): Result<'delete'> {
    const rows = this.#db
      .prepare(
        `SELECT ${ROW_ID}, ${NEEDED.join(', ')} FROM agent_runs INDEXED BY idx_runs_created_desc
         WHERE created_at < ? ORDER BY created_at, id DESC LIMIT ?`,
      )
      .raw()
      .all(before, limit) as [RowId, ...SqlValue[]][];
    const remove = this.#db.prepare('DELETE FROM agent_runs WHERE id = ?');
    for (const [id, ...values] of rows) {
      remove.run(id);
      gone(id, { values: spread(values), defaulted: 0 });
    }
    this.#deleteBelongings(new Set(rows.map(([, runId]) => String(runId))));
    this.#db
      .prepare(
        `INSERT INTO retention (id, deleted_before) VALUES (1, ?)
         ON CONFLICT (id) DO UPDATE SET deleted_before = max(deleted_before, excluded.deleted_before)`,
      )
      .run(rows.length < limit ? before : (rows.at(-1)?.at(-1) as string));
    return { deleted: rows.length };
  }

  #deleteBelongings(runIds: ReadonlySet<string>): void {
    const shared = this.#db.prepare('SELECT 1 FROM agent_runs WHERE run_id = ? LIMIT 1');
    const removals = ['run_events', 'commits'].map((table) =>
      this.#db.prepare(`DELETE FROM ${table} WHERE run_id = ?`),
    );
    for (const runId of runIds) {
      if (shared.get(runId) === undefined) for (const removal of removals) removal.run(runId);
    }
  }

  shrink(pages: number): Shrunk {
    const able = this.#number('auto_vacuum') === 2;
    const before = this.#number('freelist_count');
    if (able && before > 0) this.#db.pragma(`incremental_vacuum(${pages})`);
    const free = this.#number('freelist_count');
    return { freed: before - free, free, able };
  }

  optimize(analyze: boolean): Result<'optimize'> {
    this.#db.pragma(`analysis_limit = ${ANALYSIS_LIMIT}`);
    this.#db.exec(analyze ? 'ANALYZE' : 'PRAGMA optimize');
    return { optimized: true };
  }

  /** @throws TelemetryError "not_found" where the schema has no such index */
  reindex(index: string): Result<'reindex'> {
    const known = this.#db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?").get(index);
    if (known === undefined)
      throw new TelemetryError('not_found', `Index not found: ${index}. Ask for the list again.`);
    // An index of any size: its pages may leave memory before the commit, though readers must wait then.
    this.#db.pragma('cache_spill = ON');
    try {
      this.#db.exec(`REINDEX "${index.replaceAll('"', '""')}"`);
    } catch (error) {
      if (!systemCode(error)?.startsWith('SQLITE_CONSTRAINT')) throw error;
      const why = `The index ${index} cannot be built: rows that must differ are the same, so the table is damaged. Restore a backup, or build the database anew with local-telemetry replay.`;
      throw new TelemetryError('bad_request', why, { cause: error });
    } finally {
      this.#db.pragma('cache_spill = OFF');
    }
    return { index };
  }

  #number(pragma: string): number {
    return this.#db.pragma(pragma, { simple: true }) as number;
  }
}

/** The values that the rollups count by, in their places. */
function spread(values: readonly SqlValue[]): SqlValue[] {
  const row = new Array<SqlValue>(COLUMNS.length).fill(null);
  for (const [index, name] of NEEDED.entries()) row[FIELD_INDEX[name]] = values[index] ?? null;
  return row;
}
