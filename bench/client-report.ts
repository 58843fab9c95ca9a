/** What the agent of bench/client.ts tells when it is done. */
import type { Delivery } from '../src/client/index.ts';

/** Microseconds of one call; the first has the folders and files to make. */
export interface CallFigures {
  first: number;
  p50: number;
  p99: number;
  max: number;
}

export interface AgentReport {
  /** After the last line of work, in milliseconds since the epoch. */
  endedAt: number;
  /** What telling all this took, which is not the client's. */
  statsMs: number;
  figures: Record<string, CallFigures>;
  delivery: Delivery;
  warnings: Record<string, number>;
}
