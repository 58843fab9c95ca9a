/**
 * The load, in a process of its own: it shares the cores with the service, but neither its event loop nor its heap. What it
 * sends is made before the clock starts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { makeBatch, makeRun } from '../runs.ts';
import { Connection, requestOf } from './connection.ts';
import { type Job, type Order, type Outcome, type Report, STARTED, STOP } from './jobs.ts';

/** Prepared at most; beyond, requests are made while the clock runs. */
const PREPARED_BYTES = 128 * 1024 * 1024;
const PREPARED_REQUESTS = 60_000;
/** More than a service stores. */
const PREPARED_RUNS_A_SECOND = 60_000;

/** When the jobs end. */
interface Time {
  until: number;
}

function maker(job: Job): () => Buffer {
  switch (job.kind) {
    case 'single':
      return () => requestOf('POST', '/api/v1/runs', JSON.stringify(makeRun()));
    case 'batch': {
      const make = (): Buffer => requestOf('POST', '/api/v1/runs/batch', JSON.stringify(makeBatch(job.size)));
      if (!job.same) return make;
      const same = make();
      return () => same;
    }
    case 'get': {
      const requests = job.paths.map((path) => requestOf('GET', path, undefined, job.headers));
      let next = 0;
      return () => requests[next++ % requests.length] as Buffer;
    }
    case 'patch': {
      let next = 0;
      return () => requestOf('PATCH', job.paths[next % job.paths.length] as string, `{"duration_ms":${next++}}`);
    }
  }
}

const makesRuns = (job: Job): boolean => job.kind === 'single' || (job.kind === 'batch' && !job.same);

/** @returns the requests in order, each once, but for those that change nothing */
function prepare(job: Job, share: number, milliseconds: number): () => Buffer {
  const make = maker(job);
  if (!makesRuns(job)) return make;
  const prepared: Buffer[] = [];
  const inTime = (PREPARED_RUNS_A_SECOND * milliseconds) / 1_000 / (job.kind === 'batch' ? job.size : 1);
  const requests = Math.min(PREPARED_REQUESTS / share, inTime + job.connections);
  for (let bytes = 0; bytes < PREPARED_BYTES / share && prepared.length < requests;) {
    const request = make();
    bytes += request.length;
    prepared.push(request);
  }
  let next = 0;
  return () => prepared[next++] ?? make();
}

async function perform(job: Job, request: () => Buffer, connections: Connection[], time: Time): Promise<Outcome> {
  const latencies: number[] = [];
  let requests = 0;
  const started = performance.now();
  const loop = async (connection: Connection, index: number): Promise<void> => {
    const beginning = beginnings(job, started, index / connections.length);
    for (;;) {
      const before = await beginning();
      if (performance.now() >= time.until) return;
      const status = await connection.ask(request());
      if (status >= 305) throw new Error(`${job.kind}: answered ${status}`);
      const after = performance.now();
      if (after <= time.until) requests++;
      latencies.push(after - before);
    }
  };
  await Promise.all(connections.map(loop));
  const took = performance.now() - started;
  const perSecond = (requests * 1_000) / (time.until - started);
  return { requests, perSecond, latencies: Float64Array.from(latencies), took };
}

/**
 * When each next request of a connection begins, once that has come.
 *
 * @param share of an interval that this connection is behind the first: paced ones take turns
 */
function beginnings(job: Job, started: number, share: number): () => number | Promise<number> {
  if (job.perSecond === undefined) return () => performance.now();
  const interval = 1_000 / job.perSecond;
  let due = started + (share - 1) * interval;
  return async () => {
    due += interval;
    const early = due - performance.now();
    if (early <= 0) return due;
    await pause(early);
    return performance.now();
  };
}

async function carryOut({ host, port, milliseconds, jobs }: Order, time: Time): Promise<Outcome[]> {
  const making = jobs.filter(makesRuns).length;
  const requests = jobs.map((job) => prepare(job, making, milliseconds));
  const open = (job: Job): Promise<Connection[]> =>
    Promise.all(Array.from({ length: job.connections }, () => Connection.to(host, port)));
  const connections = await Promise.all(jobs.map(open));
  time.until = Math.min(time.until, performance.now() + milliseconds);
  process.send?.(STARTED);
  try {
    return await Promise.all(
      jobs.map((job, index) => perform(job, requests[index] as () => Buffer, connections[index] as Connection[], time)),
    );
  } finally {
    for (const connection of connections.flat()) connection.close();
  }
}

let time: Time = { until: 0 };

process.on('message', (message: Order | typeof STOP) => {
  if (message === STOP) {
    time.until = Math.min(time.until, performance.now());
    return;
  }
  time = { until: Infinity };
  void carryOut(message, time)
    .then(
      (outcomes): Report => ({ outcomes }),
      (error: unknown): Report => ({ error: String(error) }),
    )
    .then((report) => process.send?.(report));
});
