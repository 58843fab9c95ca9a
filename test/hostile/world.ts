/** A service as a process of its own, and the hands that others lay on its files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Environment, localEnvironment, type ServiceProcess, spawnService } from '../support/service.ts';
import { kill } from '../crash/cycle.ts';
import { BASES, RUNS } from './input.ts';

/** Looks at the spool often, so that the end is not waited for. */
const SETTINGS = { TELEMETRY_SYNC_INTERVAL_SECONDS: '1' };

export class World {
  readonly directory = mkdtempSync(join(tmpdir(), 'telemetry-hostile-'));
  readonly path = join(this.directory, 'db', 'telemetry.sqlite');
  readonly spool = join(this.directory, 'buffer');
  readonly environment: Environment = { ...localEnvironment(this.directory), ...SETTINGS };
  service!: ServiceProcess;
  port = 0;
  /** Acknowledged by an answer, and laid into the spool: event_id to what wrote it. */
  readonly acknowledged = new Set<string>();
  readonly expected = new Map<string, string>();
  /** The event_ids of the spool file that is rewritten. */
  night: string[] = [];
  /** Whether rows or counts were written by another program, so that totals are right after a recount only. */
  touched = false;
  #db: Database.Database | undefined;

  static async create(): Promise<World> {
    const world = new World();
    mkdirSync(world.spool, { recursive: true });
    await world.start();
    const start_time = '2026-01-10T12:00:00Z';
    const bases = Array.from({ length: BASES }, (_, index) => {
      const git_repo = index % 2 ? 'https://github.com/acme/site.git' : undefined;
      return {
        event_id: `base-${index}`,
        run_id: `base-run-${index}`,
        agent_name: 'base',
        job_type: 'b',
        start_time,
        git_repo,
      };
    });
    await world.service.request('POST', `${RUNS}/batch`, bases);
    for (const { event_id } of bases) world.acknowledged.add(event_id);
    return world;
  }

  async start(): Promise<void> {
    this.service = await spawnService(this.environment);
    this.port = Number(new URL(this.service.url).port);
  }

  get alive(): boolean {
    return this.service.child.exitCode === null && this.service.child.signalCode === null;
  }

  /** Another program's connection: no service lives in this process. */
  get db(): Database.Database {
    if (this.#db === undefined) {
      this.#db = new Database(this.path, { fileMustExist: true, timeout: 20_000 });
      this.#db.pragma('ignore_check_constraints = ON');
      this.#db.pragma('synchronous = OFF');
    }
    return this.#db;
  }

  /** What the schema itself refuses is refused. */
  writeAsAnother(statement: string): void {
    this.touched = true;
    try {
      this.db.exec(statement);
    } catch (error) {
      if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_CONSTRAINT')) throw error;
    }
  }

  expect(eventIds: readonly string[], by: string): void {
    for (const eventId of eventIds) this.expected.set(eventId, by);
  }

  isStored(eventId: string): boolean {
    return this.db.prepare('SELECT 1 FROM agent_runs WHERE event_id = ?').get(eventId) !== undefined;
  }

  nightIsStored(): boolean {
    return this.night.every((eventId) => this.isStored(eventId));
  }

  /** MiB of memory that the service holds; undefined where the system does not tell. */
  memory(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.service.child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
    } catch {
      return undefined;
    }
  }

  closeDatabase(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  async destroy(): Promise<void> {
    this.closeDatabase();
    if (this.alive) await kill(this.service);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
