import type { Row } from './clocks.ts';
import type { Positions } from './positions.ts';
import type { Store } from './store.ts';

/** What a command works with. `now` is the canonical time of its group. */
export interface Workplace {
  store: Store;
  positions: Positions;
  now: string;
  /** Notes a row that came (`before` undefined) or changed, for the rollups. */
  changed(id: number, before: Row | undefined, after: Row): void;
}
