/** What is done to rows that a release before this wrote. */
import { durationBetween, FIELD_INDEX, setDefaulted, type SqlValue } from '../../../run.ts';
import { addressBook } from '../../../run/urls.ts';
import type { Job } from '../upkeep.ts';

/** In bytes; no text that anyone derives an address from is longer. Other programs may have stored any size of anything. */
const MAX_REMOTE = 4_096;
const BIT = setDefaulted(0, FIELD_INDEX.duration_ms);

/** Durations that are 0 of runs whose end is behind their start: nobody gave them, so they count as defaults. */
export const durations: Job = {
  name: 'durations',
  on(db) {
    const find = db
      .prepare(
        `SELECT id, start_time, end_time FROM agent_runs WHERE id > ? AND id <= ? AND duration_ms = 0
         AND octet_length(start_time) = 32 AND octet_length(end_time) = 32 AND end_time > start_time`,
      )
      .raw();
    const set = db.prepare(`UPDATE agent_runs SET duration_ms = ?, defaulted = defaulted | ${BIT} WHERE id = ?`);
    return (after, upTo) => {
      const found = find.all(after, upTo) as [number, SqlValue, SqlValue][];
      return found.reduce((changed, [id, start, end]) => {
        const duration = durationBetween(start, end);
        return duration > 0 ? changed + set.run(duration, id).changes : changed;
      }, 0);
    };
  },
};

/** The addresses of repositories, which are derived when a run is stored. */
export const addresses: Job = {
  name: 'addresses',
  on(db) {
    const find = db
      .prepare(
        `SELECT id, CASE WHEN typeof(git_repo) = 'text' AND octet_length(git_repo) <= ${MAX_REMOTE} THEN git_repo END
         FROM agent_runs WHERE id > ? AND id <= ? AND repo_url IS NULL AND git_repo IS NOT NULL`,
      )
      .raw();
    const set = db.prepare('UPDATE agent_runs SET repo_url = ?, commits_url = ? WHERE id = ?');
    const addressesOf = addressBook();
    return (after, upTo) => {
      const found = find.all(after, upTo) as [number, string | null][];
      for (const [id, remote] of found) {
        const { repo, commits } = addressesOf(remote);
        set.run(repo, commits, id);
      }
      return found.length;
    };
  },
};
