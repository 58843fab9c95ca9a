/** A writer that is killed in the midst of a slice of work on older rows, when pages of the database are overwritten already. */
import { databaseConfig, groupWriter } from '../../support/database.ts';
import { openWritable } from '../../../src/actors/database.ts';
import { durations } from '../../../src/actors/writer/upkeep/jobs.ts';

const [directory = ''] = process.argv.slice(2);
const db = openWritable(databaseConfig(directory));
db.pragma('cache_spill = ON');
db.pragma('cache_size = 5');
const dies = {
  ...durations,
  on: (...args: Parameters<typeof durations.on>) => {
    const work = durations.on(...args);
    return (after: number, upTo: number): number => {
      if (work(after, upTo) > 0 && after > 1_000) process.kill(process.pid, 'SIGKILL');
      return 0;
    };
  },
};
groupWriter(db, { upkeep: [dies] }).upkeep(60_000);
