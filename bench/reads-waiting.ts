/**
 * What those wait who ask without pause, one, eight and sixty-four at once, of a service that does nothing else, and beside a
 * hot writer. Where all are served in turn, nobody waits much longer than most: so the goal is of the p99 by the p50.
 */
import type { Load } from './load/handle.ts';
import type { Job } from './load/jobs.ts';
import type { Database } from './reads-data.ts';
import { digits, type Figure } from './report.ts';
import { percentile } from './support.ts';

const CONNECTIONS = [1, 8, 64] as const;
/** The goal is of so many; fewer wait for nobody, more for the front end. */
const GOAL = { connections: 8, atMost: 6 };
const WRITING: Job = { kind: 'single', connections: 16 };

interface Waiting {
  name: string;
  job: Extract<Job, { kind: 'get' }>;
  writing: boolean;
  /** Milliseconds, round after round. */
  rounds: Float64Array[];
  perSecond: number[];
}

const readsOf = ({ known }: Database): [name: string, paths: string[]][] => [
  ['list of 10', ['/api/v1/runs?limit=10']],
  ['list of 100', ['/api/v1/runs?limit=100']],
  ['by id', known.map(({ event_id }) => `/api/v1/runs/${event_id}`)],
  ['/metadata', ['/api/v1/metadata']],
  ['/metrics', ['/metrics']],
];

export async function waits(load: Load, database: Database, rounds: number, seconds: number): Promise<Figure[]> {
  const { url } = database.service;
  const all = [false, true].flatMap((writing) =>
    readsOf(database).flatMap(([name, paths]) =>
      CONNECTIONS.map((connections): Waiting => {
        const beside = writing ? ' beside a hot writer' : '';
        const job = { kind: 'get', connections, paths } as const;
        return { name: `${name}, ${connections} at once${beside}`, job, writing, rounds: [], perSecond: [] };
      }),
    ),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { job, writing, rounds: seen, perSecond } of all) {
      const jobs: Job[] = writing ? [job, WRITING] : [job];
      const [reading] = await load.run(url, seconds * 1_000, ...jobs);
      seen.push(reading?.latencies ?? new Float64Array());
      perSecond.push(reading?.perSecond ?? NaN);
    }
  }
  return all.map(figureOf);
}

function figureOf({ name, job: { connections }, writing, rounds, perSecond }: Waiting): Figure {
  // Of all rounds together: one has too few reads for the rarest.
  const together = Float64Array.from(rounds.flatMap((latencies) => [...latencies]));
  const shares = [0.5, 0.99, 0.999, 1].map((share) => digits(percentile(together, share)));
  return {
    name: `${name}: p99 / p50`,
    rounds: rounds.map((latencies) => percentile(latencies, 0.99) / percentile(latencies, 0.5)),
    unit: 'x',
    of: `${shares.join(' / ')} ms, ${digits(percentile(perSecond, 0.5))}/s`,
    ...(connections === GOAL.connections && !writing && { atMost: GOAL.atMost }),
  };
}
