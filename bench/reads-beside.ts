/**
 * npm run bench:reads -- --beside ../other [--quick] [--rounds 5] [--seconds 0.5] [--rows 100000]
 *
 * Reads of this checkout's service beside another checkout's. On one connection the goal is of the median, on eight it is of
 * the rate: where few of eight are served and the others starve, the median is good and the service is not. What those who
 * wait see is the p99.
 */
import {
  aboutBeside,
  type Besides,
  figuresBeside,
  inTurn,
  latency,
  perSecond,
  type Seen,
  type Three,
  withThree,
} from './beside.ts';
import type { Job } from './load/jobs.ts';
import { BLOCK, type Database, makeDatabase } from './reads-data.ts';
import { type Read, readsOf } from './reads-paths.ts';
import { type Figure, readOptions, report } from './report.ts';

const CONNECTIONS = [1, 8] as const;
const WARMING_MS = 200;
/** The trial leaves out those that are much like others. */
const QUICK = new Set([
  'by id',
  'list of 10',
  'list, agent_name',
  'list of 1,000',
  'list, status failure',
  '/metrics',
  '/metadata',
]);

interface Asked {
  name: string;
  paths: Three<string[]>;
  seen: Map<number, Three<Seen>[]>;
}

export async function readsBeside(besides: Besides): Promise<void> {
  const { rounds, seconds, rows } = readOptions(
    besides.quick ? { rounds: 5, seconds: 0.4, rows: 10_000 } : { rounds: 7, seconds: 0.6, rows: 100_000 },
  );
  if (rows % BLOCK !== 0) throw new RangeError(`--rows must be a multiple of ${BLOCK}`);
  const figures = await withThree(besides.checkout, async (urls, load) => {
    const reads: Read[][] = [];
    const now = Date.now();
    for (const url of urls) {
      const database: Database = await makeDatabase({ url }, rows, { smallest: rows, now });
      reads.push(await readsOf(database));
    }
    const [own = [], ...others] = reads;
    const all = own
      .map(({ name, paths }, index): Asked => {
        const of = [paths, ...others.map((read) => read[index]?.paths ?? [])] as Three<string[]>;
        return { name, paths: of, seen: new Map(CONNECTIONS.map((count) => [count, []])) };
      })
      .filter(({ name }) => !besides.quick || QUICK.has(name));
    const jobs = ({ paths }: Asked, connections: number): Three<Job> =>
      paths.map((of): Job => ({ kind: 'get', connections, paths: of })) as Three<Job>;
    for (const asked of all) await inTurn(load, urls, WARMING_MS, jobs(asked, 1));
    for (let round = 0; round < rounds; round++) {
      for (const asked of round % 2 === 0 ? all : all.toReversed()) {
        for (const [connections, seen] of asked.seen) {
          seen.push(await inTurn(load, urls, seconds * 1_000, jobs(asked, connections)));
        }
      }
    }
    return all.flatMap(figuresOf);
  });
  report({ name: 'reads-beside', about: aboutBeside(besides, rounds, seconds), figures });
}

function figuresOf({ name, seen }: Asked): Figure[] {
  const [one, eight] = CONNECTIONS;
  const of = (count: number, what: (seen: Seen) => number): Three<number>[] =>
    (seen.get(count) ?? []).map((three) => three.map(what) as Three<number>);
  return [
    ...figuresBeside({ name: `${name}, 1 connection: p50`, unit: 'ms', values: of(one, latency(0.5)), goal: true }),
    ...figuresBeside({ name: `${name}, 1 connection: p99`, unit: 'ms', values: of(one, latency(0.99)), goal: false }),
    ...figuresBeside({ name: `${name}, 8 connections`, unit: 'a second', values: of(eight, perSecond), goal: true }),
    ...figuresBeside({
      name: `${name}, 8 connections: p99`,
      unit: 'ms',
      values: of(eight, latency(0.99)),
      goal: false,
    }),
  ];
}
