/** Builds a database of this version out of an older one. Everything here is thrown away should it not come to its end. */
import type { Connection } from '../../database.ts';
import { migrate, readMigrations } from '../migrate.ts';
import { countWindow, emptyCounts, Rollups, windowBehind } from '../rollups.ts';
import { copyCommits, copyEvents, copyHistory } from './copy-others.ts';
import { type CopiedRuns, copyRuns } from './copy-runs.ts';
import { Digest } from './digest.ts';
import { Pace, type Progress } from './pace.ts';
import type { Reading } from './rows.ts';
import type { Shape, Table } from './shape.ts';

export interface Source {
  db: Connection;
  shape: Shape;
}

/** SHA-256 of the rows of each table, as they were to be written. */
export interface Digests {
  runs: string;
  originals: string;
  events: string;
  commits: string;
}

export interface Built extends CopiedRuns {
  digests: Digests;
}

/** Ids counted at a time. */
const WINDOW = 5_000;

/** How many rows are taken of a sample. */
export interface Limits {
  runs: number;
  /** Of the events, and of the commits. */
  others: number;
}

const ALL: Limits = { runs: Infinity, others: Infinity };

/** @param limits for a sample */
export function* build(source: Source, target: Connection, limits = ALL): Generator<Progress, Built> {
  const { runs, events, commits, history } = source.shape;
  const indexes = prepare(target);
  const readingOf = (table: Table): Reading => ({ db: source.db, table, utf8: source.shape.utf8 });
  const digests = { runs: new Digest(), originals: new Digest(), events: new Digest(), commits: new Digest() };
  const total = runs.rows + (events?.rows ?? 0) + (commits?.rows ?? 0);
  const pace = new Pace('copy', total);
  target.exec('BEGIN');
  yield pace.progress;
  const copied = yield* copyRuns(readingOf(runs), target, digests, pace, limits.runs);
  if (events) yield* copyEvents(readingOf(events), target, digests.events, pace, limits.others);
  if (commits) yield* copyCommits(readingOf(commits), target, digests.commits, pace, limits.others);
  if (history) copyHistory(readingOf(history), target);
  target.exec('COMMIT');
  yield* makeIndexes(target, indexes);
  yield* count(target);
  return {
    ...copied,
    digests: {
      runs: digests.runs.hex(),
      originals: digests.originals.hex(),
      events: digests.events.hex(),
      commits: digests.commits.hex(),
    },
  };
}

/** Makes the tables. @returns the statements of their indexes, which are made once at the end: that costs half */
function prepare(target: Connection): string[] {
  migrate(target, 0, readMigrations());
  const indexes = target
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid")
    .all() as { name: string; sql: string }[];
  for (const { name } of indexes) target.exec(`DROP INDEX ${name}`);
  return indexes.map(({ sql }) => sql);
}

function* makeIndexes(target: Connection, indexes: readonly string[]): Generator<Progress, void> {
  for (const [done, sql] of indexes.entries()) {
    yield { phase: 'index', done, total: indexes.length };
    target.exec(sql);
  }
}

function* count(target: Connection): Generator<Progress, void> {
  const counts = emptyCounts();
  const total = target.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  let done = 0;
  for (let window = windowBehind(target, 0); window; window = windowBehind(target, window[1])) {
    yield { phase: 'count', done: Math.min(done, total), total };
    countWindow(target, ...window, counts);
    done += WINDOW;
  }
  target.transaction(() => {
    const rollups = new Rollups(target);
    rollups.replace(counts);
    rollups.setState({ changeCounter: null, trusted: true });
  })();
}
