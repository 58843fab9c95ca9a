/** Compares a migrated database with what its runs must have become. */
import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { migrateOlder, type Migrated } from '../../src/actors/writer/older/migrate.ts';
import { COLUMNS } from '../../src/run.ts';
import { digestsOf } from './files.ts';
import { bitsOf, type OlderRun, type Value } from './older-runs.ts';

/** Migrates to the end. @returns what it says, and the phases it went through */
export function migrateWholly(path: string): { migrated: Migrated; phases: string[] } {
  const steps = migrateOlder(path);
  const phases = new Set<string>();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { migrated: value, phases: [...phases] };
    phases.add(value.phase);
  }
}

/** The first differences between a database and its runs; empty where every field of every run is as it must be. */
export function differences(path: string, runs: Iterable<OlderRun>, limit = 10): string[] {
  const db = new Database(path, { readonly: true });
  const found: string[] = [];
  try {
    const select = db
      .prepare(`SELECT ${COLUMNS.join(', ')}, defaulted, id FROM agent_runs WHERE id = ?`)
      .safeIntegers();
    const originals = db.prepare('SELECT reasons, original FROM run_originals WHERE id = ?').raw();
    let count = 0;
    let repaired = 0;
    for (const run of runs) {
      count++;
      if (run.repairs.length > 0) repaired++;
      if (found.length >= limit) continue;
      found.push(...differencesOf(run, select.get(run.id) as Record<string, Value> | undefined));
      found.push(...differencesOfOriginal(run, originals.get(run.id) as [string, string] | undefined));
    }
    const counted = (table: string): unknown => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    if (counted('agent_runs') !== count) found.push(`${String(counted('agent_runs'))} runs instead of ${count}`);
    if (counted('run_originals') !== repaired) {
      found.push(`${String(counted('run_originals'))} originals instead of ${repaired}`);
    }
    return found.slice(0, limit);
  } finally {
    db.close();
  }
}

function differencesOf(run: OlderRun, row: Record<string, Value> | undefined): string[] {
  if (!row) return [`run ${run.id} is missing`];
  const expected: Record<string, Value> = { ...run.expected, defaulted: bitsOf(run.defaulted) };
  return [...COLUMNS, 'defaulted'].flatMap((column) => {
    const [is, must] = [row[column] ?? null, expected[column] ?? null];
    const alike = typeof is === 'bigint' && typeof must === 'number' ? is === BigInt(must) : is === must;
    return alike ? [] : [`run ${run.id}, ${column}: ${String(is)} instead of ${String(must)}`];
  });
}

function differencesOfOriginal(run: OlderRun, row: [string, string] | undefined): string[] {
  const reasons = row === undefined ? '' : (JSON.parse(row[0]) as string[]).sort().join();
  const wanted = [...run.repairs].sort().join();
  return reasons === wanted ? [] : [`run ${run.id}, repairs: ${reasons} instead of ${wanted}`];
}

/** Fails unless it is refused for that reason, with no file changed and none left beside. */
export function refusedUntouched(path: string, why: RegExp, attempt: () => unknown = () => migrateWholly(path)): void {
  const before = digestsOf(path);
  assert.throws(attempt, (error: Error & { code: string }) => {
    assert.equal(error.code, 'refused', error.stack);
    assert.match(error.message, why);
    return true;
  });
  assert.deepEqual(digestsOf(path), before, 'nothing is changed, and nothing left beside it');
}
