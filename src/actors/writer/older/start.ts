/** Migrating as a service does at its start: a slice at a time, so that it can be said how far it is. */
import { TelemetryError } from '../../../errors.ts';
import type { Connection } from '../../database.ts';
import type { Note } from '../../protocol.ts';
import { look } from '../inspect.ts';
import { readMigrations } from '../migrate.ts';
import { repairInterrupted } from './leftovers.ts';
import { type Migrated, migrateOlder, type Progress } from './migrate.ts';
import { openToLock } from './open.ts';
import { isInterrupted, withReading } from './reading.ts';
import { toRefusal } from './refusal.ts';
import { shapeOf } from './shape.ts';

export class StartMigration {
  readonly #steps: Generator<Progress, Migrated>;

  private constructor(path: string) {
    this.#steps = migrateOlder(path);
  }

  /**
   * The migration that a database needs before it can be opened; undefined where it needs none. To be called by the
   * holder of the process lock, before anything looks at the database.
   *
   * @param maxRows a database with more runs is left to the command
   * @throws TelemetryError "refused" for such a one, naming the command; for one that is not ours
   */
  static of(path: string, maxRows: number): StartMigration | undefined {
    repairInterrupted(path);
    const { version, older } = look(path, readMigrations());
    if (!older) return undefined;
    const rows = countRuns(path);
    if (rows <= maxRows) return new StartMigration(path);
    const why =
      `The database ${path} has ${rows} runs of schema version ${version || 'unknown'}, more than TELEMETRY_AUTO_MIGRATE_MAX_ROWS (${maxRows}). ` +
      `Migrate it first: local-telemetry migrate --db ${path} (with --dry-run it says what it does, and how long it takes). It was not changed.`;
    throw new TelemetryError('refused', why);
  }

  /** Goes on for about `budgetMs`. @returns what there is to say of it. @throws what migrateOlder throws */
  step(budgetMs: number): { done: boolean; note: Note } {
    const deadline = performance.now() + budgetMs;
    for (;;) {
      const { done, value } = this.#steps.next();
      if (done) return { done, note: { level: 'info', message: 'Database migrated', fields: fieldsOf(value) } };
      if (performance.now() > deadline) {
        return { done: false, note: { level: 'info', message: 'Migrating the database', fields: { ...value } } };
      }
    }
  }

  /** Ends it early: the older database stays in its place. */
  end(): void {
    this.#steps.return(undefined as never);
  }
}

function fieldsOf({ leftBehind: left_behind, seconds, ...migrated }: Migrated): Note['fields'] {
  return { ...migrated, left_behind, seconds: Math.round(seconds * 1_000) / 1_000 };
}

function countRuns(path: string): number {
  try {
    return withReading(path, (db) => shapeOf(db, path).runs.rows);
  } catch (error) {
    // A crash left what only a connection that may write can undo.
    if (!isInterrupted(error)) throw error;
    return countRecovered(path);
  }
}

function countRecovered(path: string): number {
  let db: Connection | undefined;
  try {
    db = openToLock(path);
    return shapeOf(db, path).runs.rows;
  } catch (error) {
    throw toRefusal(path, error);
  } finally {
    db?.close();
  }
}
