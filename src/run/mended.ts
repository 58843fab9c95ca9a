/** What was not stored as it came: how many values were mended, by reason. Pure. */

/** Every reason, as the metric's label says it. */
export const MENDS = ['not_a_number', 'half_character', 'long_id', 'long_text', 'commit_source'] as const;
export type Mend = (typeof MENDS)[number];

/** Crosses threads as a plain object. */
export type MendCounts = Partial<Record<Mend, number>>;

export class Mended {
  readonly #counts: MendCounts = {};
  /** Of the command that runs. */
  readonly #noted: [reason: Mend, times: number][] = [];

  note(reason: Mend, times = 1): void {
    this.#noted.push([reason, times]);
  }

  /** The command is done: what it noted counts. */
  keep(): void {
    for (const [reason, times] of this.#noted.splice(0)) this.#add(reason, times);
  }

  /** The command has failed: what it noted is stored nowhere. */
  drop(): void {
    this.#noted.length = 0;
  }

  /** Takes over what another has counted. */
  add(counts: MendCounts): void {
    for (const reason of Object.keys(counts) as Mend[]) this.#add(reason, counts[reason] ?? 0);
  }

  /** What counts. */
  get counts(): Readonly<MendCounts> {
    return this.#counts;
  }

  #add(reason: Mend, times: number): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + times;
  }
}
