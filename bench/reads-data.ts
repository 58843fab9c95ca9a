/**
 * The databases of bench/reads.ts: the same runs a day, up to the same moment, reaching back the further the larger they
 * are. That is how a service grows: its history, not its load. With the same span and a hundredth of the runs a day, the
 * small one would count a hundredth of the runs in the hour that /metrics counts one by one, and each window of time
 * would hold a hundredth; the ratios would then tell of the load. What grows with the load alone is therefore not seen here.
 */
import { makeRun, type Run } from './runs.ts';
import { type BenchService, fill } from './support.ts';

/** More than the day that /metrics calls recent. */
const SMALLEST_SPANS_MS = 2 * 24 * 60 * 60 * 1_000;
/** Runs known by their ids, of each database; so many that they do not all stay in the reader's page cache. */
const KNOWN = 20_000;

/** In each block of so many runs every combination comes equally often, and each tag has one value. */
export const BLOCK = 1_000;
/** Runs that have the same tag; a tenth of a block. */
export const TAGGED = 100;

const AGENTS = of([6, 'renovate'], [1, 'dependabot'], [1, 'openhands'], [1, 'claude'], [1, 'github-actions']);
const STATUSES = of([6, 'success'], [2, 'failure'], [2, 'running']);
const JOB_TYPES = of([5, 'chore(deps)'], [1, 'fix'], [1, 'feat'], [1, 'docs'], [1, 'test'], [1, 'ci']);
const TAGS = ['website', 'insight_id', 'parent_run_id'];

export interface Known {
  event_id: string;
  run_id: string;
  git_commit_hash: string;
}

export interface Database {
  runs: number;
  service: Pick<BenchService, 'url'>;
  /** Runs in the smallest of the databases. */
  smallest: number;
  /** Some of its runs, in no order. */
  known: Known[];
  /** The created_at of a run, counted from the newest, 0. */
  timeOf: (age: number) => string;
}

/** Fills a service's database. @param shape the runs of the smallest database, and the time of the newest run of all */
export async function makeDatabase(
  service: Pick<BenchService, 'url'>,
  runs: number,
  shape: { smallest: number; now: number },
): Promise<Database> {
  const stepMs = SMALLEST_SPANS_MS / shape.smallest;
  const timeOf = (age: number): string => new Date(shape.now - age * stepMs).toISOString();
  const known: Known[] = [];
  const every = Math.max(1, runs / KNOWN);
  await fill(service.url, runs, (index) => {
    const age = runs - 1 - index;
    const run = makeOne(age, timeOf(age), age >= runs - BLOCK);
    if (index >= known.length * every) known.push(idsOf(run as unknown as Known));
    return run;
  });
  return { runs, smallest: shape.smallest, service, known: shuffled(known), timeOf };
}

/** A run; those of the same age are alike in all databases. @param oldest whether it is in the oldest block */
function makeOne(age: number, at: string, oldest: boolean): Run {
  // A permutation of the block, so that neighbours differ.
  const place = (age * 617) % BLOCK;
  const [a, b, c] = [place % 10, Math.floor(place / 10) % 10, Math.floor(place / 100)] as [number, number, number];
  const run: Run = { ...makeRun(at), agent_name: AGENTS[a], status: STATUSES[b], job_type: JOB_TYPES[c] };
  const tenth = (a + b + c) % 10;
  const tag = TAGS[tenth];
  if (tag !== undefined) run[tag] = tagOf(tag, Math.floor(age / BLOCK));
  else if (tenth === TAGS.length) run.product = 'a tenth';
  else if (tenth === TAGS.length + 1 && oldest) run.product = 'the oldest';
  return run;
}

/** The value of a tag in a block, counted from the newest. */
export const tagOf = (tag: string, block: number): string => `${tag}-${block}`;

const idsOf = ({ event_id, run_id, git_commit_hash }: Known): Known => ({ event_id, run_id, git_commit_hash });

function of(...shares: [number, string][]): string[] {
  return shares.flatMap(([times, value]) => Array.from({ length: times }, () => value));
}

function shuffled<Item>(items: Item[]): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
