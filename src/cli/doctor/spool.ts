/** What agents left for the service: whether it goes on, and what was rejected. */
import { bytesOf } from '../../offline/figures.ts';
import { type Check, ok, warning } from '../../offline/check.ts';
import { Spool } from '../../offline/spool.ts';
import { noteBeside, checkSpool as checkFiles } from '../../offline/verify-files.ts';
import { schemaVersion } from '../../offline/version.ts';
import { SCHEMA_VERSION } from '../../run.ts';
import type { Look } from './look.ts';

/** So long a running service leaves nothing, unless something holds it up. */
const LONG_SECONDS = 600;

export function checkSpool({ config, db, status }: Look): Check {
  const { directory } = config.spool;
  if (db && schemaVersion(db) === SCHEMA_VERSION) {
    using beside = noteBeside(config.ndjsonDirectory, directory);
    return checkFiles(db, beside, config.http.maxBodyBytes);
  }
  using spool = new Spool(directory);
  if (!spool.there) return ok('spool', `no folder ${directory}: nothing waits`);
  const states = [...spool.byState()].map(([state, files]) => `${files} ${state}`).join(', ') || 'no files';
  const counts = status?.spool;
  const seen = counts
    ? `${states}; ${bytesOf(counts.pending_bytes)} wait, the oldest for ${counts.lag_seconds} s`
    : states;
  if (counts && counts.lag_seconds > LONG_SECONDS) {
    return warning('spool', seen, 'The log of the service says what holds up the spool', spool.unopened);
  }
  if (spool.rejected.length > 0) {
    const remedy = `Read the .rejected files in ${directory}, correct and import what matters, and remove them`;
    return warning('spool', `${seen}; there are rejected lines`, remedy, spool.rejected);
  }
  return spool.unopened.length > 0
    ? warning('spool', seen, 'See why these files cannot be read', spool.unopened)
    : ok('spool', seen);
}
