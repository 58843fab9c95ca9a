/**
 * npm run bench:schema -- [--rounds 5] [--runs 20000]
 *
 * What the indexes cost and what they serve, in a bare loop without the service: the schema beside its predecessor's; then
 * each index by itself, the rate of inserting without it beside that with all, and its list with it and without.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '../src/actors/database.ts';
import { BareFile, type BareRow, makeRows, newestSchema } from './bare.ts';
import { digits, type Figure, readOptions, report } from './report.ts';
import { SOURCE } from './runs.ts';
import { PAGE, type Use, usesOf } from './schema-uses.ts';
import { median } from './support.ts';

const { rounds, runs } = readOptions({ rounds: 5, runs: 20_000 });
const PER_COMMIT = 1_000;
/** Rows that are there before: indexes of a new file are shallow. */
const ROWS_BEFORE = 20_000;
const ROWS_LISTED = 50_000;

/**
 * The predecessor's indexes beside UNIQUE (event_id), none of them partial. A reconstruction: its source is not part of this
 * repository, and it may have differed in detail.
 */
const PREDECESSORS = [
  'idx_runs_agent (agent_name)',
  'idx_runs_event_id (event_id)',
  'idx_runs_created_desc (created_at DESC)',
  'idx_runs_agent_status_created (agent_name, status, created_at DESC)',
  'idx_runs_agent_created (agent_name, created_at DESC)',
  'idx_runs_start (start_time)',
  'idx_runs_status (status)',
  'idx_runs_job_type (job_type)',
  'idx_runs_run_id (run_id)',
  'idx_runs_insight (insight_id)',
  'idx_runs_parent (parent_run_id)',
  'idx_runs_commit (git_commit_hash)',
  'idx_runs_website (website)',
  'idx_runs_website_section (website_section)',
  'idx_runs_item_name (item_name)',
  'idx_runs_product (product)',
];

/** One run in ten has what the partial indexes are for. */
const someLinked = (index: number): Record<string, string> =>
  index % 10 > 0
    ? {}
    : {
        website: `site-${index % 3_000}.example`,
        insight_id: `insight-${index}`,
        parent_run_id: `parent-${index % 4_000}`,
      };

/** The same with ids as the predecessor's clients make them: in no order, so that each row writes a page of their index. */
const randomly = (index: number): Record<string, string> => ({ ...someLinked(index), event_id: randomUUID() });

const indexesOf = (db: Connection): string[] =>
  db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'agent_runs' AND sql IS NOT NULL")
    .pluck()
    .all() as string[];

const without =
  (name: string) =>
  (db: Connection): void => {
    newestSchema(db);
    db.exec(`DROP INDEX ${name}`);
  };

function predecessors(db: Connection): void {
  newestSchema(db);
  for (const name of indexesOf(db)) db.exec(`DROP INDEX ${name}`);
  for (const index of PREDECESSORS) db.exec(`CREATE INDEX ${index.replace(' ', ' ON agent_runs ')}`);
}

interface Rates {
  /** Rows a second, a value a round: of the median commit, for a disk's rare pauses are nobody's. */
  rates: number[];
}

interface Variant extends Rates {
  schema: (db: Connection) => void;
}

/** One round: all take turns commit by commit, in any order, for what a disk gives changes within seconds. */
function measure(variants: readonly Variant[], change: typeof randomly, before: readonly BareRow[]): void {
  const directory = mkdtempSync(join(root, 'round-'));
  const rows = makeRows(runs, change);
  using files = new DisposableStack();
  const stores = variants.map(({ schema, rates }, index) => {
    const file = files.use(new BareFile(join(directory, `${index}.sqlite`), before, schema));
    return { file, rates, commits: [] as number[] };
  });
  for (let from = 0; from < runs; from += PER_COMMIT) {
    const next = rows.slice(from, from + PER_COMMIT);
    for (const { file, commits } of shuffled(stores)) commits.push(file.store(next, PER_COMMIT));
  }
  for (const { rates, commits } of stores) rates.push(median(commits));
  files.dispose();
  rmSync(directory, { recursive: true });
}

const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one): [number, T] => [Math.random(), one])
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);

const rate = ({ rates }: Rates): string => `${digits(median(rates))}/s`;
const byRound = (a: Rates, b: Rates, of: (a: number, b: number) => number): number[] =>
  a.rates.map((value, round) => of(value, b.rates[round] as number));
const ratios = (a: Rates, b: Rates): number[] => byRound(a, b, (one, other) => one / other);

function costOf(name: string, dropped: Rates, all: Rates): Figure {
  const each = median(byRound(dropped, all, (less, whole) => 1e6 / whole - 1e6 / less));
  return {
    name: `${name}: rate without it / with all`,
    rounds: ratios(dropped, all),
    unit: 'x',
    of: `costs ${each.toFixed(1)} us a row`,
  };
}

function beside(ids: string, ours: Rates, theirs: Rates, indexes: number): Figure {
  return {
    name: `our schema / the predecessor's, ${ids}`,
    rounds: ratios(ours, theirs),
    unit: 'x',
    atLeast: 1.3,
    of: `${rate(ours)} with ${indexes} indexes / ${rate(theirs)} with ${PREDECESSORS.length}, UNIQUE aside`,
  };
}

/** Of the list to which the index matters most; the other stands beside it. */
function useOf(name: string, uses: readonly Use[]): Figure {
  const ratio = ({ without, withIt }: Use): number => without / withIt;
  const times = ({ which, withIt, without }: Use): string => `${which}: ${digits(without)} / ${digits(withIt)} ms`;
  const sorted = uses.toSorted((a, b) => ratio(b) - ratio(a));
  return {
    name: `${name}: its list without it / with it`,
    rounds: sorted.slice(0, 1).map(ratio),
    unit: 'x',
    of: sorted.map(times).join(', '),
  };
}

const root = mkdtempSync(join(tmpdir(), 'telemetry-bench-'));
try {
  using listed = new BareFile(join(root, 'listed.sqlite'), makeRows(ROWS_LISTED, someLinked));
  const names = indexesOf(listed.db);
  const uses = names.map((name) => usesOf(listed.db, name));
  const ours: Variant = { schema: newestSchema, rates: [] };
  const again: Variant = { schema: newestSchema, rates: [] };
  const theirs: Variant = { schema: predecessors, rates: [] };
  const dropped = names.map((name): Variant => ({ schema: without(name), rates: [] }));
  const random = [newestSchema, predecessors].map((schema): Variant => ({ schema, rates: [] })) as [Variant, Variant];
  const before = makeRows(ROWS_BEFORE, someLinked);
  const beforeRandom = makeRows(ROWS_BEFORE, randomly);
  for (let round = 0; round < rounds; round++) {
    measure([ours, again, theirs, ...dropped], someLinked, before);
    measure(random, randomly, beforeRandom);
  }
  const all = { rates: byRound(ours, again, (one, other) => (one + other) / 2) };
  report({
    name: 'schema',
    about:
      `A bare loop, ${PER_COMMIT} rows a commit, ${ROWS_BEFORE} there before, DELETE/FULL; ${SOURCE}, one in ten with a website, ` +
      `an insight and a parent. ${rounds} rounds of ${runs} rows, commits interleaved. Lists: the first ${PAGE} of ${ROWS_LISTED} rows.`,
    figures: [
      beside('ids in the order of time', ours, theirs, names.length),
      beside('random ids, as its clients make them', ...random, names.length),
      {
        name: 'our schema / the same again: how exact this is',
        rounds: ratios(ours, again),
        unit: 'x',
      },
      ...names.flatMap((name, index) => [
        costOf(name, dropped[index] as Variant, all),
        useOf(name, uses[index] as Use[]),
      ]),
    ],
  });
} finally {
  rmSync(root, { recursive: true, force: true });
}
