/** Rollups: what /metrics and /metadata ask, of them and of the runs; and what keeping them takes from storing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { metadata } from '../../src/actors/readers/names.ts';
import { metrics } from '../../src/actors/readers/queries.ts';
import { Statements } from '../../src/actors/readers/statements.ts';
import { Changes } from '../../src/actors/writer/changes.ts';
import { countWindow, emptyCounts, Rollups } from '../../src/actors/writer/rollups.ts';
import { Store } from '../../src/actors/writer/store.ts';
import { timestampOf } from '../../src/run.ts';
import { BareFile, makeRows } from '../bare.ts';
import type { Figure } from '../report.ts';
import { type Bench, ratioOf, ROWS_BEFORE, takeTurns, timeOf } from './compare.ts';

const ROWS = 200_000;
const FILLED_AT_ONCE = 5_000;
/** The runs are spread over a month, of which /metrics counts the last day apart. */
const DAY_MS = 24 * 60 * 60 * 1_000;
const STEP_MS = (30 * DAY_MS) / ROWS;
const ASKED = 9;
/** Rows a commit, and commits a round. */
const COMMITS = [
  [1, 100],
  [1_000, 9],
] as const;

const RECENT = 'SELECT count(*) FROM agent_runs WHERE created_at >= ?';
const AGENTS = 'SELECT agent_name, count(*) FROM agent_runs GROUP BY 1 ORDER BY 2 DESC, 1';

export function rollups(bench: Bench): Figure[] {
  return [...asking(bench), ...COMMITS.flatMap(([perCommit, commits]) => keeping(bench, perCommit, commits))];
}

function asking({ directory, rounds }: Bench): Figure[] {
  const now = Date.now();
  using file = new BareFile(join(directory, 'asked.sqlite'));
  for (let from = 0; from < ROWS; from += FILLED_AT_ONCE) {
    const at = (index: number): string => timestampOf(Math.floor(now - (ROWS - from - index) * STEP_MS));
    file.store(
      makeRows(FILLED_AT_ONCE, (index) => ({ created_at: at(index) })),
      FILLED_AT_ONCE,
    );
  }
  const counts = emptyCounts();
  countWindow(file.db, 0, ROWS, counts);
  file.commit(() => new Rollups(file.db).replace(counts));

  const db = new Statements(file.db);
  const since = timestampOf(now - DAY_MS);
  const names = (column: string): string[] =>
    (db.raw(`SELECT DISTINCT ${column} FROM agent_runs ORDER BY 1`).all() as [string][]).map(([name]) => name);
  const asked = [
    { name: '/metrics', of: () => metrics(db, since, (read) => read()), runs: () => totalsOf(db, since) },
    {
      name: '/metadata',
      of: () => {
        const { agent_names, job_types } = metadata(db, {}, (read) => read());
        return { agent_names, job_types };
      },
      runs: () => ({ agent_names: names('agent_name'), job_types: names('job_type') }),
    },
  ];
  return asked.map(({ name, of, runs }) => {
    assert.deepEqual(of(), runs());
    const [on, off] = takeTurns(
      rounds,
      ASKED,
      () => timeOf(of),
      () => timeOf(runs),
    ) as [number[], number[]];
    return ratioOf(
      `rollups: ${name} of ${ROWS.toLocaleString('en')} runs, by counting them / by rollups`,
      off,
      on,
      'ms',
    );
  });
}

function totalsOf(db: Statements, since: string): object {
  const agents = db.raw(AGENTS).all() as [string, number][];
  const [recent] = db.raw(RECENT).get(since) as [number];
  const total_runs = agents.reduce((sum, [, runs]) => sum + runs, 0);
  return { total_runs, agents, others: { agents: 0, runs: 0 }, recent };
}

function keeping({ directory, rounds }: Bench, perCommit: number, commits: number): Figure[] {
  const before = makeRows(ROWS_BEFORE);
  using counted = new BareFile(join(directory, `counted-${perCommit}.sqlite`), before);
  using plain = new BareFile(join(directory, `plain-${perCommit}.sqlite`), before);
  const [on, off] = takeTurns(rounds, commits, storing(counted, perCommit, true), storing(plain, perCommit, false)) as [
    number[],
    number[],
  ];
  const name = `rollups: storing ${perCommit.toLocaleString('en')} a commit, with them / without`;
  return [ratioOf(name, on, off, 'a second')];
}

/** The writer's own statements. @returns a commit's rows a second */
function storing(file: BareFile, perCommit: number, counted: boolean): () => number {
  const store = new Store(file.db);
  const kept = new Rollups(file.db);
  return () => {
    const rows = makeRows(perCommit).map((row) => ({ values: row.slice(0, -1), defaulted: Number(row.at(-1)) }));
    const took = file.commit(() => {
      const changes = new Changes(() => false);
      for (const row of rows) {
        const id = store.insert(row);
        if (counted) changes.note(Number(id), undefined, row);
      }
      if (!counted) return;
      changes.keep();
      kept.add(changes.counts, changes.arrivals);
      kept.setState({ changeCounter: null, trusted: true });
    });
    return (perCommit * 1_000) / took;
  };
}
