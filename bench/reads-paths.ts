/**
 * What bench/reads.ts asks: the same questions of each database. A shorter page is a quicker one, so each list has as many
 * runs in every database; `readsOf` has looked.
 */
import assert from 'node:assert/strict';
import { BLOCK, type Database, type Known, TAGGED, tagOf } from './reads-data.ts';

export interface Read {
  name: string;
  /** Asked in turn. */
  paths: string[];
  /** Runs in each answer; undefined where it is no list. */
  runs?: number;
  /** Nothing has it at hand: it may grow with the database. */
  grows?: true;
}

const LIST = '/api/v1/runs';
const PAGE = 100;
/** Pages that are read one after the other from a cursor on. */
const PAGES = 4;
const TAG_VALUES = 200;
const HOUR_MS = 60 * 60 * 1_000;
/** Runs within a narrow window of time. */
const NARROW = 800;
/** Answers looked at before they are timed. */
const CHECKED = 10;

/** Every read of a database. @throws AssertionError where one does not answer with the runs it should */
export async function readsOf(database: Database): Promise<Read[]> {
  const { url } = database.service;
  const reads = [
    ...single(database),
    ...filtered(database),
    ...windows(database),
    ...(await deep(database)),
    { name: '/metrics', paths: ['/metrics'] },
    { name: '/metrics/prometheus', paths: ['/metrics/prometheus'] },
    { name: '/metadata', paths: ['/api/v1/metadata'] },
  ];
  for (const { name, paths, runs } of reads) {
    for (const path of paths.slice(0, CHECKED)) {
      const answer = await fetch(`${url}${path}`);
      const body = await answer.text();
      assert.equal(answer.status, 200, `${name}: ${path}`);
      if (runs !== undefined) assert.equal((JSON.parse(body) as unknown[]).length, runs, `${name}: ${path}`);
    }
  }
  return reads;
}

const listOf = (filter: Record<string, string | number>, limit = PAGE): string =>
  `${LIST}?${new URLSearchParams({ ...filter, limit } as unknown as Record<string, string>).toString()}`;

function single({ known }: Database): Read[] {
  const listsBy = (name: keyof Known): Read => ({
    name: `list, ${name}`,
    paths: known.map((one) => listOf({ [name]: one[name] })),
    runs: 1,
  });
  return [
    { name: 'by id', paths: known.map(({ event_id }) => `${LIST}/${event_id}`) },
    listsBy('run_id'),
    listsBy('git_commit_hash'),
  ];
}

function filtered({ runs, timeOf }: Database): Read[] {
  const list = (name: string, filter: Record<string, string>): Read => ({
    name: `list, ${name}`,
    paths: [listOf(filter)],
    runs: PAGE,
  });
  const blocks = runs / BLOCK;
  const values = Math.min(TAG_VALUES, blocks);
  const tagged = (tag: string): Read => ({
    name: `list, ${tag}`,
    paths: Array.from({ length: values }, (_, index) =>
      listOf({ [tag]: tagOf(tag, Math.floor((index * blocks) / values)) }),
    ),
    runs: TAGGED,
  });
  const hourAgo = new Date(Date.parse(timeOf(0)) - HOUR_MS).toISOString();
  return [
    list('agent_name', { agent_name: 'renovate' }),
    list('agent_name and status', { agent_name: 'renovate', status: 'failure' }),
    { name: 'list of 10', paths: [listOf({}, 10)], runs: 10 },
    { name: 'list of 1,000', paths: [listOf({}, 1_000)], runs: 1_000 },
    list('running for an hour', { status: 'running', created_before: hourAgo }),
    list('status failure', { status: 'failure' }),
    list('status running', { status: 'running' }),
    list('job_type', { job_type: 'docs' }),
    tagged('insight_id'),
    tagged('parent_run_id'),
    tagged('website'),
    { ...list('product (no index), a tenth of all', { product: 'a tenth' }), grows: true },
    { ...list('product (no index), the oldest', { product: 'the oldest' }), grows: true },
  ];
}

/** In the middle of the database's span; the wide one holds half as many runs as the smallest database. */
function windows({ runs, timeOf, smallest }: Database): Read[] {
  const window = (name: string, width: number, [from, to]: [string, string]): Read => ({
    name: `list, ${name} window of ${width} runs`,
    paths: [listOf({ [from]: timeOf((runs + width) / 2), [to]: timeOf((runs - width) / 2) })],
    runs: PAGE,
  });
  return [
    window('start_time', NARROW, ['start_time_from', 'start_time_to']),
    window('start_time', smallest / 2, ['start_time_from', 'start_time_to']),
    window('created_at', smallest / 2, ['created_after', 'created_before']),
  ];
}

async function deep(database: Database): Promise<Read[]> {
  const { runs } = database;
  return [
    { name: 'list, offset at half', paths: [listOf({ offset: runs / 2 })], runs: PAGE, grows: true },
    { name: 'list, cursor at half', paths: await cursorsFrom(database, runs / 2), runs: PAGE },
    { name: 'list, cursor near the end', paths: await cursorsFrom(database, runs - (PAGES + 1) * PAGE), runs: PAGE },
  ];
}

/** Pages that follow each other, each found by the Link of the one before. */
async function cursorsFrom({ service, timeOf }: Database, age: number): Promise<string[]> {
  const first = await nextOf(service.url, listOf({ created_before: timeOf(age) }, 1));
  const cursor = new URLSearchParams(first.split('?')[1]).get('cursor');
  const pages = [listOf({ cursor: String(cursor) })];
  while (pages.length < PAGES) pages.push(await nextOf(service.url, pages.at(-1) as string));
  return pages;
}

async function nextOf(url: string, path: string): Promise<string> {
  const answer = await fetch(`${url}${path}`);
  await answer.arrayBuffer();
  const next = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  assert(next !== undefined, `${path}: no page follows`);
  return next;
}
