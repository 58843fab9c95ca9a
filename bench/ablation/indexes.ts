/** The indexes, all at once: what they take from storing. bench:schema has each by itself, and what it is for. */
import { join } from 'node:path';
import type { Connection } from '../../src/actors/database.ts';
import { BareFile, makeRows, newestSchema } from '../bare.ts';
import type { Figure } from '../report.ts';
import { type Bench, ratioOf, ROWS_BEFORE, takeTurns } from './compare.ts';

const PER_COMMIT = 1_000;
const COMMITS = 9;

function uniqueOnly(db: Connection): void {
  newestSchema(db);
  const indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'agent_runs' AND sql IS NOT NULL";
  for (const name of db.prepare(indexes).pluck().all() as string[]) db.exec(`DROP INDEX ${name}`);
}

export function indexes({ directory, rounds }: Bench): Figure[] {
  const before = makeRows(ROWS_BEFORE);
  using all = new BareFile(join(directory, 'all.sqlite'), before);
  using unique = new BareFile(join(directory, 'unique.sqlite'), before, uniqueOnly);
  const storing = (file: BareFile) => () => file.store(makeRows(PER_COMMIT), PER_COMMIT);
  const [on, off] = takeTurns(rounds, COMMITS, storing(all), storing(unique)) as [number[], number[]];
  return [ratioOf('indexes: storing 1,000 a commit, all / UNIQUE only', on, off, 'a second')];
}
