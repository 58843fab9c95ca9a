/** JSON built by SQL, beside rows that become objects, then text, then bytes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { list } from '../../src/actors/readers/list.ts';
import { defineFunctions } from '../../src/actors/readers/render.ts';
import { Statements } from '../../src/actors/readers/statements.ts';
import { COLUMNS, commitUrl, parseJson, repoUrl, TABLE, withoutCredentials } from '../../src/run.ts';
import { BareFile, makeRows } from '../bare.ts';
import type { Figure } from '../report.ts';
import { type Bench, ratioOf, ROWS_BEFORE, takeTurns, timeOf } from './compare.ts';

const LIMIT = 100;
const TIMES = 51;
const PAGE = `SELECT id, ${COLUMNS.join(', ')} FROM agent_runs ORDER BY created_at DESC, id LIMIT ${LIMIT}`;
const KINDS = TABLE.map(({ name, kind }) => [name, kind] as const);

type Value = string | number | null;

export function json({ directory, rounds }: Bench): Figure[] {
  using file = new BareFile(join(directory, 'json.sqlite'), makeRows(ROWS_BEFORE));
  defineFunctions(file.db);
  const statements = new Statements(file.db);
  const bySql = (): Uint8Array => {
    const page = list(statements, { filter: {}, limit: LIMIT, offset: 0, sliceMs: Infinity }, (read) => read());
    assert('body' in page);
    return page.body;
  };
  const byObjects = (): Uint8Array => {
    const rows = statements.raw(PAGE).all() as Value[][];
    return Buffer.from(JSON.stringify(rows.map(objectOf)));
  };
  const [one, other] = [bySql(), byObjects()].map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown);
  assert.deepEqual(one, other);
  const [sql, objects] = takeTurns(
    rounds,
    TIMES,
    () => timeOf(bySql),
    () => timeOf(byObjects),
  ) as [number[], number[]];
  return [ratioOf(`JSON: a list of ${LIMIT} by objects / by SQL`, objects, sql, 'ms')];
}

function objectOf([id, ...values]: Value[]): Record<string, unknown> {
  const run: Record<string, unknown> = { id };
  for (const [index, [name, kind]] of KINDS.entries()) run[name] = valueOf(kind, values[index] as Value);
  const [remote, hash] = [run.git_repo, run.git_commit_hash] as [string | null, string | null];
  run.commit_url = commitUrl(remote, hash) ?? null;
  run.repo_url = repoUrl(remote) ?? null;
  return run;
}

function valueOf(kind: string, value: Value): unknown {
  if (kind === 'boolean') return Boolean(value);
  if (typeof value !== 'string') return value;
  return kind === 'json' ? parseJson(value) : kind === 'remote' ? withoutCredentials(value) : value;
}
