/** What the load's process is told to do, and what it tells. */
interface Common {
  /** Kept connections, each with one request at a time. */
  connections: number;
  /**
   * Requests a second on each connection; as fast as they are answered where it is missing. One that is due while its
   * connection still waits counts from when it was due: so one slow answer hides none behind it.
   */
  perSecond?: number;
}

export type Work =
  /** Each request one new run, by POST. */
  | { kind: 'single' }
  /** Each request `size` new runs; `same` sends one again and again, to a server that does not know it. */
  | { kind: 'batch'; size: number; same?: true }
  /** GETs of these paths in turn. */
  | { kind: 'get'; paths: string[]; headers?: string }
  /** PATCHes of these paths in turn, each with a new duration. */
  | { kind: 'patch'; paths: string[] };

export type Job = Common & Work;

/** Jobs to do. Whoever gave them may say 'stop' before their time is over. */
export interface Order {
  host: string;
  port: number;
  milliseconds: number;
  /** Done at the same time. */
  jobs: Job[];
}

export interface Outcome {
  /** Requests answered within the time. */
  requests: number;
  /** Of them, per second. */
  perSecond: number;
  /** Milliseconds of each, in the order of the answers; also of those that were answered after the time was over. */
  latencies: Float64Array;
  /** Milliseconds from the start to the last answer, which came after the time was over. */
  took: number;
}

export const STOP = 'stop';

/** Said once what is sent is made, and the clock starts. */
export const STARTED = 'started';

export type Report = { outcomes: Outcome[] } | { error: string };
