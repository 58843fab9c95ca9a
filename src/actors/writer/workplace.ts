import type { Mended } from '../../run/mended.ts';
import type { Care } from './care.ts';
import type { RowId } from '../protocol.ts';
import type { Row } from './clocks.ts';
import type { Positions } from './positions.ts';
import type { Store } from './store.ts';

/** What a command works with. `now` is the canonical time at which it was taken into its group. */
export interface Workplace {
  store: Store;
  positions: Positions;
  care: Care;
  now: string;
  /** What the running command has mended; counts once its group is committed. */
  mended: Mended;
  /** Notes a row that came (`before` undefined), changed, or went (`after` undefined), for the rollups. */
  changed(id: RowId, before: Row | undefined, after: Row | undefined): void;
  /** Has all runs counted anew, from the next group on. */
  recount(): void;
}
