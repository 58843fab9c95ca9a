/** Whether the kept counts are those of the runs. */
import type { Connection } from '../actors/database.ts';
import { type Key, otherOf } from '../actors/writer/ever.ts';
import {
  addTo,
  BELOW_ALL,
  type Counts,
  countWindow,
  emptyCounts,
  runsKey,
  windowBehind,
} from '../actors/writer/rollups.ts';
import { type EverCounts, everOf } from './ever.ts';

export interface RollupDifference {
  /** An hour such as 2026-01-10T12, or agent, job type and status; ", ever" behind it for the counts that only grow. */
  key: string;
  kept: number;
  counted: number;
}

/** @param onWindow told how many ids have been passed, now and then */
export function rollupDifferences(
  db: Connection,
  onWindow: (id: number) => void = () => undefined,
): RollupDifference[] {
  const counted = recount(db, onWindow);
  const kept = emptyCounts();
  for (const row of db.prepare('SELECT agent_name, job_type, status, runs FROM rollup_runs').raw().iterate()) {
    const [agent, job, status, runs] = row as [string, string, string, number];
    kept.runs.set(runsKey(agent, job, status), runs);
  }
  for (const row of db.prepare('SELECT hour, runs FROM rollup_hours').raw().iterate()) {
    const [hour, runs] = row as [string, number];
    kept.hours.set(hour, runs);
  }
  const ever = everOf(db);
  // A database of a version in between keeps none, which the check of the schema tells.
  const below = ever ? belowCounted(ever, counted.runs) : [];
  const named = compare(kept.runs, counted.runs).map(({ key, ...counts }) => ({ key: nameOf(key), ...counts }));
  return [...named, ...compare(kept.hours, counted.hours), ...below];
}

const nameOf = (key: string): string => (JSON.parse(key) as string[]).join(' / ');

/** Where fewer runs have ever come than are there: of those without a row of their own, together. */
function belowCounted(ever: EverCounts, counted: Counts['runs']): RollupDifference[] {
  const least = new Map<string, number>();
  const others = new Map<string, number>();
  for (const [key, runs] of counted) {
    const other = runsKey(...otherOf(JSON.parse(key) as Key));
    if (ever.has(key) || !ever.has(other)) least.set(key, runs);
    else addTo(others, other, runs);
  }
  for (const [key, runs] of others) least.set(key, Math.max(runs, least.get(key) ?? 0));
  return [...least]
    .map(([key, runs]) => ({ key: `${nameOf(key)}, ever`, kept: ever.get(key) ?? 0, counted: runs }))
    .filter(({ kept, counted }) => kept < counted);
}

function recount(db: Connection, onWindow: (id: number) => void): Counts {
  const counts = emptyCounts();
  for (let window = windowBehind(db, BELOW_ALL); window; window = windowBehind(db, window[1])) {
    countWindow(db, ...window, counts);
    onWindow(Number(window[1]));
  }
  return counts;
}

function compare(kept: ReadonlyMap<string, number>, counted: ReadonlyMap<string, number>): RollupDifference[] {
  const differences: RollupDifference[] = [];
  for (const key of new Set([...kept.keys(), ...counted.keys()])) {
    const difference = { key, kept: kept.get(key) ?? 0, counted: counted.get(key) ?? 0 };
    if (difference.kept !== difference.counted) differences.push(difference);
  }
  return differences;
}
