/** What was not stored as it came: how many values were mended, by reason. Pure; crosses threads as a plain object. */

/** Every reason, as the metric's label says it. */
export const MENDS = ['not_a_number', 'half_character', 'long_id', 'long_text', 'commit_source'] as const;
export type Mend = (typeof MENDS)[number];

export type MendCounts = Partial<Record<Mend, number>>;

export class Mended {
  #counts: MendCounts = {};

  note(reason: Mend, times = 1): void {
    if (times > 0) this.#counts[reason] = (this.#counts[reason] ?? 0) + times;
  }

  add(counts: MendCounts): void {
    for (const reason of Object.keys(counts) as Mend[]) this.note(reason, counts[reason]);
  }

  /** What has been counted; counting begins anew. */
  take(): MendCounts {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }

  get counts(): Readonly<MendCounts> {
    return this.#counts;
  }
}
