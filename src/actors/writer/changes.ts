/** What the commands of a group have changed, as the rollups count it: a command that fails has changed nothing. */
import type { RowId } from '../protocol.ts';
import type { Row } from './clocks.ts';
import { addTo, type Counts, countRow, emptyCounts, keyOf } from './rollups.ts';

export class Changes {
  readonly counts: Counts = emptyCounts();
  /** Runs that came into an agent, job type and status, by key. */
  readonly arrivals = new Map<string, number>();
  /** Of `counts`, what lies in rows that a running recount has passed. */
  readonly covered: Counts = emptyCounts();
  readonly #isCovered: (id: RowId) => boolean;
  /** Of the command that runs. */
  readonly #noted: [id: RowId, before: Row | undefined, after: Row | undefined][] = [];

  /** @param isCovered whether a running recount has passed a row */
  constructor(isCovered: (id: RowId) => boolean) {
    this.#isCovered = isCovered;
  }

  /** A row came (`before` undefined), changed, or went (`after` undefined). */
  note(id: RowId, before: Row | undefined, after: Row | undefined): void {
    this.#noted.push([id, before, after]);
  }

  /** The command is done: what it noted counts. */
  keep(): void {
    for (const [id, before, after] of this.#noted) {
      const from = before && keyOf(before.values);
      const to = after && keyOf(after.values);
      for (const into of this.#isCovered(id) ? [this.counts, this.covered] : [this.counts]) {
        if (before) countRow(into, from as string, before.values, -1);
        if (after) countRow(into, to as string, after.values, 1);
      }
      if (to !== undefined && to !== from) addTo(this.arrivals, to, 1);
    }
    this.drop();
  }

  /** The command has failed: what it noted did not happen. */
  drop(): void {
    this.#noted.length = 0;
  }
}
