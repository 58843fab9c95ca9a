/** Values bound by position, beside the same bound by name. */
import { join } from 'node:path';
import { BareFile, type BareRow, makeRows, NAMES } from '../bare.ts';
import type { Figure } from '../report.ts';
import { type Bench, ratioOf, ROWS_BEFORE, takeTurns } from './compare.ts';

const PER_COMMIT = 1_000;
const COMMITS = 9;

export function binding({ directory, rounds }: Bench): Figure[] {
  const before = makeRows(ROWS_BEFORE);
  using positional = new BareFile(join(directory, 'positional.sqlite'), before);
  using named = new BareFile(join(directory, 'named.sqlite'), before);
  const insert = named.db.prepare(
    `INSERT INTO agent_runs (${NAMES.join(', ')}) VALUES (${NAMES.map((name) => `@${name}`).join(', ')})`,
  );
  const [on, off] = takeTurns(
    rounds,
    COMMITS,
    () => positional.store(makeRows(PER_COMMIT), PER_COMMIT),
    () => {
      const rows = makeRows(PER_COMMIT).map(objectOf);
      const took = named.commit(() => {
        for (const row of rows) insert.run(row);
      });
      return (PER_COMMIT * 1_000) / took;
    },
  ) as [number[], number[]];
  return [ratioOf('binding: storing 1,000 a commit, by position / by name', on, off, 'a second')];
}

const objectOf = (row: BareRow): Record<string, unknown> =>
  Object.fromEntries(NAMES.map((name, index) => [name, row[index]]));
