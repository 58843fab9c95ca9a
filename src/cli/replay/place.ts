/**
 * Where a replay goes: into a database that is built beside its place and gets its name once it is whole, so that a replay
 * that ends midway leaves nothing that the next one would mind; or into the service that has the database open already.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from '../../actors/spool/files.ts';
import { inspect } from '../../actors/writer/inspect.ts';
import { ProcessLock } from '../../actors/writer/lock.ts';
import { realPath } from '../../actors/writer/real-path.ts';
import { readMigrations } from '../../actors/writer/migrate.ts';
import type { Config } from '../../config.ts';
import { makeDirectory } from '../../directory.ts';
import { describe, TelemetryError } from '../../errors.ts';
import { adopt, BESIDE, removeWhole, statOf } from '../../offline/files.ts';
import { FileTarget } from '../file-target.ts';
import { pagesOf } from '../runs/pages.ts';
import type { Target } from '../answer.ts';
import { openSocket } from '../target.ts';
import type { Terminal } from '../terminal.ts';

export interface Place extends AsyncDisposable {
  readonly target: Target;
  /** Resolves once the database has its name. @throws TelemetryError, its place being as it was */
  finish(): Promise<void>;
}

/** @throws TelemetryError "refused" where the database holds a run, or another process has it */
export async function openPlace(config: Config, terminal: Terminal): Promise<Place> {
  const service = await openSocket(config);
  if (!service) return Building.begin(config, terminal);
  service.note = (line) => terminal.note(line);
  try {
    await requireEmpty(service, config.database.path);
  } catch (error) {
    await service[Symbol.asyncDispose]();
    throw error;
  }
  return {
    target: service,
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** Has the lock of the database all the while, so that no service starts in its place meanwhile. */
class Building implements Place {
  readonly target: Target;
  readonly #path: string;
  readonly #lock: ProcessLock;
  #open = true;

  private constructor(path: string, lock: ProcessLock, target: Target) {
    this.#path = path;
    this.#lock = lock;
    this.target = target;
  }

  static async begin(config: Config, terminal: Terminal): Promise<Building> {
    const [path, lock] = lockPlace(config);
    try {
      inspect(path, readMigrations());
      if ((statOf(path)?.size ?? 0) > 0) {
        await using looked = await FileTarget.open(config, terminal, false);
        await requireEmpty(looked, config.database.path);
      }
      // What a replay left that was killed. Whoever has the lock is the only one.
      removeBuilding(path);
      const database = { ...config.database, path: buildingOf(path), lockFile: undefined };
      return new Building(path, lock, await FileTarget.open({ ...config, database }, terminal, true));
    } catch (error) {
      removeBuilding(path);
      lock.release();
      throw error;
    }
  }

  async finish(): Promise<void> {
    const [path, building] = [this.#path, buildingOf(this.#path)];
    try {
      await this.#close();
      this.#lock.verify();
      const left = BESIDE.find((suffix) => (statOf(building + suffix)?.size ?? 0) > 0);
      if (left !== undefined) throw new Error(`beside it there is still ${left}`);
      if (existsSync(path)) adopt(building, path);
      // Of a database without runs; beside the new one SQLite would play it into that.
      for (const suffix of BESIDE) rmSync(path + suffix, { force: true });
      syncDirectory(dirname(path));
      renameSync(building, path);
      syncDirectory(dirname(path));
    } catch (error) {
      throw unmade(path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#close();
      removeBuilding(this.#path);
    } finally {
      this.#lock.release();
    }
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.target[Symbol.asyncDispose]();
  }
}

const buildingOf = (path: string): string => `${path}.replaying`;

/** HAZARD: only what holds the lock of the database may call this: the lock of what is being built goes with it. */
function removeBuilding(path: string): void {
  removeWhole(buildingOf(path));
  for (const suffix of ['.lock', '.lock-journal', '.lock.holder']) rmSync(buildingOf(path) + suffix, { force: true });
}

/** @returns the real path of the database too */
function lockPlace({ database: { path, lockFile } }: Config): [path: string, lock: ProcessLock] {
  try {
    makeDirectory(dirname(path));
    const real = realPath(path);
    return [real, new ProcessLock(real, lockFile)];
  } catch (error) {
    throw unmade(path, error);
  }
}

const unmade = (path: string, error: unknown): TelemetryError =>
  error instanceof TelemetryError
    ? error
    : new TelemetryError(
        'refused',
        `The database ${path} cannot be built: ${describe(error)}. Settle that, or name another file by --to.`,
        { cause: error },
      );

async function requireEmpty(target: Target, path: string): Promise<void> {
  for await (const page of pagesOf(target, new URLSearchParams(), 1)) {
    if (page.length === 0) continue;
    const remedy = 'Give a new file by --to, or bring the backups into this one with local-telemetry import.';
    throw new TelemetryError('refused', `The database ${path} holds runs already. ${remedy}`);
  }
}
