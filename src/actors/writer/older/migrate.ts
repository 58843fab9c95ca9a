/**
 * Migrates a database of an earlier version: a new one is built beside it, compared with it, and put in its place; the older
 * one is only read, and stays as the backup. Killed at any moment and begun again, it comes to the same result.
 */
import { statSync } from 'node:fs';
import { SCHEMA_VERSION } from '../../../run.ts';
import type { Connection } from '../../database.ts';
import { nextChangeCounter, readChangeCounter } from '../header.ts';
import { identityOf } from '../lock.ts';
import { realPath } from '../real-path.ts';
import { Rollups } from '../rollups.ts';
import { build, type Built } from './build.ts';
import { backupName, buildingName, exchange, freeSpace, makeBuildingFile, neededSpace, sizeOf } from './files.ts';
import { removeBuilding, removeLeftovers, repairInterrupted } from './leftovers.ts';
import { openToBuild, openToLock, openToRead, openToSeal } from './open.ts';
import type { Progress } from './pace.ts';
import { requireFile } from './reading.ts';
import { damaged, noSpace, refused, toRefusal } from './refusal.ts';
import { type Shape, shapeOf } from './shape.ts';
import { verify } from './verify.ts';
import { FIRST_VERSION } from './version.ts';

export type { Progress } from './pace.ts';
export { repairInterrupted } from './leftovers.ts';

export interface Migrated {
  from: number;
  to: number;
  rows: number;
  events: number;
  commits: number;
  /** Runs whose original is kept, for something of it was lost or guessed. */
  repaired: number;
  /** How often each repair was made, as `column: what was wrong`. */
  repairs: Record<string, number>;
  /** Where the older database is now. */
  backup: string;
  /** What is only there, such as `table notes`. */
  leftBehind: string[];
  seconds: number;
}

/**
 * To be called by the holder of the process lock, with no connection to the database open in this process. Yields about every
 * 100 ms, but for single statements of SQLite (an index, a check); to end it early leaves the older database in its place.
 *
 * @throws TelemetryError "refused" with the remedy, "internal" where what was built is not what was to be built
 */
export function* migrateOlder(givenPath: string): Generator<Progress, Migrated> {
  const path = realPath(givenPath);
  const began = performance.now();
  repairInterrupted(path);
  requireFile(path);
  const identity = identityOf(path);
  let older: Connection | undefined;
  let building = false;
  try {
    yield { phase: 'check', done: 0, total: 1 };
    // Before anything is touched by what is known then, and again by what is known better.
    requireSpace(path, 0);
    older = openToLock(path);
    const shape = lock(older, path);
    removeLeftovers(path);
    requireSpace(path, shape.runs.rows);
    check(older, path);
    yield { phase: 'check', done: 1, total: 1 };
    building = true;
    const built = yield* buildBeside(path, older, shape);
    if (identityOf(path) !== identity) {
      throw refused(path, 'was replaced by another program while it was migrated. Stop that program and try again.');
    }
    const backup = backupName(path, shape.version);
    exchange(path, backup);
    return resultOf(shape, built, backup, (performance.now() - began) / 1000);
  } catch (error) {
    throw toRefusal(path, error);
  } finally {
    older?.close();
    if (building) removeBuilding(path);
    repairInterrupted(path);
  }
}

function resultOf(shape: Shape, built: Built, backup: string, seconds: number): Migrated {
  return {
    from: shape.version,
    to: SCHEMA_VERSION,
    rows: shape.runs.rows,
    events: shape.events?.rows ?? 0,
    commits: shape.commits?.rows ?? 0,
    repaired: built.repaired,
    repairs: Object.fromEntries([...built.repairs].sort(([a], [b]) => (a < b ? -1 : 1))),
    backup,
    leftBehind: shape.leftBehind,
    seconds,
  };
}

function requireSpace(path: string, runs: number): void {
  const needed = neededSpace(sizeOf(path), runs);
  const free = freeSpace(path);
  if (free < needed) throw noSpace(path, needed, free);
}

/** Makes the one file complete and locks it until the connection is closed: nobody may write what would not be taken over. */
function lock(older: Connection, path: string): Shape {
  const { version } = shapeOf(older, path);
  if (version >= FIRST_VERSION) throw refused(path, `has version ${version} already. There is nothing to migrate.`);
  older.pragma('wal_checkpoint(TRUNCATE)');
  older.pragma('journal_mode = DELETE');
  older.exec('BEGIN EXCLUSIVE');
  // A journal beside it says nothing: a crash may leave one that was never begun, and some programs keep theirs.
  const mode = older.pragma('journal_mode', { simple: true });
  if (mode !== 'delete' || statSync(`${path}-wal`, { throwIfNoEntry: false })) {
    throw refused(
      path,
      'is in use by another program, so its write-ahead log cannot be taken in. Stop the earlier service and whatever else has it open, then try again.',
    );
  }
  // Anew, for only now nobody can change it.
  return shapeOf(older, path, true);
}

/** Values that do not keep to what their table declares are no damage: the conversion sees to them. */
const CONTENT =
  /^(NULL value in|CHECK constraint failed in|[A-Z]+ value in|non-\w+ value in|row \S+ missing from index|wrong # of entries in index|non-unique entry in index)/;

/** @throws TelemetryError "refused" where the file is damaged */
function check(older: Connection, path: string): void {
  const problems = (older.prepare('PRAGMA quick_check(100)').pluck().all() as string[]).filter(
    (problem) => problem !== 'ok' && !CONTENT.test(problem),
  );
  if (problems.length > 0)
    throw damaged(
      path,
      problems.map((problem) => problem.replaceAll('\n', ' ')),
    );
}

function* buildBeside(path: string, older: Connection, shape: Shape): Generator<Progress, Built> {
  const building = buildingName(path);
  makeBuildingFile(path);
  const target = openToBuild(building);
  let built: Built;
  try {
    built = yield* build({ db: older, shape }, target);
  } finally {
    target.close();
  }
  sealCounts(building);
  const reader = openToRead(building);
  try {
    const { runs, events, commits } = shape;
    const expected = { runs: runs.rows, events: events?.rows ?? 0, commits: commits?.rows ?? 0 };
    yield* verify(reader, path, { ...expected, digests: built.digests });
  } finally {
    reader.close();
  }
  return built;
}

/** Writes down the change counter as this very commit leaves it, so that the first start need not count anew. */
function sealCounts(building: string): void {
  const changeCounter = nextChangeCounter(readChangeCounter(building));
  const target = openToSeal(building);
  try {
    new Rollups(target).setState({ changeCounter, trusted: true });
  } finally {
    target.close();
  }
}
